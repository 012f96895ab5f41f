// A firmware that lies to the operations of the catalogue. First two parts: the name of an
// operation and its argument; then the answers (lying_firmware.hpp). The run must end or wait, what
// it asks must be WS-MAN, what it tells must be JSON, and what it fails with must say why.
#include "messages/amt/catalogue.hpp"
#include "messages/amt/operation_run.hpp"
#include "messages/domain/amt.hpp"
#include "tests/fuzz/lying_firmware.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace outband;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::lying_firmware firmware({reinterpret_cast<const char*>(data), size});
  const auto* operation = amt::find_operation(firmware.next());
  if (operation == nullptr)
    return 0;
  std::string argument(firmware.next());
  if (argument.empty())
    argument = "{}";
  auto parsed = json::parse(argument);
  if (!parsed || !amt::mistakes(*operation, *parsed, 0).empty())
    return 0;
  amt::operation_run run{amt::perform{std::string(operation->name), argument, false}};
  if (!firmware.answer(run))
    return 0;
  auto told = run.outcome();
  if (!told) {
    if (told.error().detail.empty())
      std::abort();
  } else if (!json::parse(std::get<amt::document>(*told).json)) {
    std::abort();
  }
  return 0;
}
