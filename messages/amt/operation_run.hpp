/// What it takes on the wire to carry out one `amt_operation`: a conversation (see there for how it
/// is run) whose function is that of the operation. Context: pure, any thread; one per operation.
#pragma once

#include "messages/domain/amt.hpp"
#include "messages/wsman/conversation.hpp"

#include <cstdint>

namespace outband::amt {

class operation_run : public wsman::conversation<amt_outcome> {
public:
  explicit operation_run(amt_operation op, std::uint32_t first_message_id = 0);
};

} // namespace outband::amt
