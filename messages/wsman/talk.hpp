/// One conversation with a firmware, written down as if every answer were there at once.
///
/// An operation is a plain function: it asks, reads, decides, asks again.
///
///   result<os_power> read_os_power(talk& t) {
///     auto service = t.get("IPS_PowerManagementService");
///     if (!service) return service.error();
///     ...
///
/// Nothing waits in it. It is run from its start with the answers that there are; what it asks
/// beyond them becomes the next request on the wire, and every later question of that run fails.
/// So it must ask the same things when it is told the same things: no clock, no randomness, no
/// memory of its own. A failure it sees is a SOAP fault, which it may tolerate ("this firmware has
/// no KVM"); whatever else goes wrong (refused credentials, nonsense, wrong class) ends the
/// conversation without asking it.
///
/// Source: DSP0226; the sequences are those of MPS src/amt/DeviceAction.ts.
/// Context: pure, any thread. Limits: 200 exchanges, 10 Pulls and 1,000 items a list, bodies as
/// messages/wsman/node.hpp bounds them.
#pragma once

#include "messages/wsman/envelope.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::wsman {

/// Does the request change what the machine or its user notices? If the connection dies while it is
/// on its way, whether it happened cannot be known.
enum class effect : std::uint8_t { none, change };

/// What a method gave back.
struct returned {
  const node* out = nullptr; ///< the `Method_OUTPUT` element
  std::uint32_t value = 0;   ///< its ReturnValue; see pt_status_name()
};

class talk {
public:
  /// MessageIDs count from `first_message_id`.
  explicit talk(std::uint32_t first_message_id = 0) : first_id_(first_message_id) {}

  // -- for operations. Pointers live as long as the talk --

  /// The instance of that class. `at` names one where there are several.
  result<const node*> get(std::string_view cls, const std::vector<selector>& at = {});
  /// Every instance, subclasses included (each element bears its own class's name).
  result<const std::vector<node>*> list(std::string_view cls);
  /// Writes an instance; `properties` is XML made with property(). Gives what the firmware echoes,
  /// nullptr if it echoes nothing.
  result<const node*> put(std::string_view cls, const std::string& properties,
                          const std::vector<selector>& at = {}, effect what = effect::change);
  result<returned> invoke(std::string_view cls, std::string_view method,
                          const std::string& parameters = {}, effect what = effect::change,
                          const std::vector<selector>& at = {});
  /// Gives the selectors of what was created.
  result<endpoint> create(std::string_view cls, const std::string& properties);
  status remove(std::string_view cls, const std::vector<selector>& at);
  /// An action beyond these (WS-Eventing's); `body` is XML. Gives the answer's Body.
  result<const node*> send(std::string_view cls, std::string_view action, const std::string& body,
                           effect what, const std::vector<selector>& at = {});

  /// The last answer's header, for those bodies that MPS hands on as they are; nullptr before it.
  const response* last() const;
  /// The last question was refused with that SOAP subcode ("DestinationUnreachable").
  bool refused_with(std::string_view subcode) const;
  /// ... because this firmware has no such class, instance or method.
  bool is_absent() const;

  // -- for who runs them (conversation.hpp) --

  /// Before each run.
  void rewind();
  /// The run asked something that is not answered yet.
  bool waits() const { return !request_.empty(); }
  const std::string& request() const { return request_; }
  bool change_asked() const { return waits() && asked_effect_ == effect::change; }
  /// The answer to request(). `body` is de-chunked.
  void feed(int http_status, std::string_view body);
  /// What ended the conversation whatever the operation thinks of it.
  const std::optional<failure>& broken() const { return broken_; }
  /// "CIM_SoftwareIdentity Pull": the last question.
  const std::string& last_question() const { return label_; }

private:
  struct exchange {
    std::string asked; ///< action, resource and body; must be the same in each run
    response answer;
  };
  struct whole_list {
    std::vector<node> items;
    std::size_t exchanges = 0;
  };
  const response* ask(std::string_view cls, std::string_view verb, std::string action,
                      const std::string& body, const std::vector<selector>& at, effect what);
  failure refusal() const;
  failure give_up(failure why);
  result<const node*> instance_in(const response& answer, std::string_view cls);

  std::uint32_t first_id_;
  std::vector<std::unique_ptr<exchange>> done_;
  std::map<std::size_t, whole_list> lists_; ///< by the number of their Enumerate
  std::size_t at_ = 0;
  std::string label_;
  std::string request_;
  std::string asked_;
  effect asked_effect_ = effect::none;
  std::optional<failure> broken_;
};

/// `SelectorSet` with one entry.
inline std::vector<selector> named(std::string name, std::string value) {
  return {selector{std::move(name), std::move(value)}};
}

/// Those of `items` that are of this very class.
std::vector<const node*> instances(const std::vector<node>& items, std::string_view cls);

// -- reading properties. A firmware's nonsense is a problem::device_protocol that names it --

/// A number of at most `max`.
result<std::uint32_t> number_in(const node& instance, std::string_view property,
                                std::uint32_t max = 0xFFFFFFFF);
/// As number_in; `otherwise` if the property is not told.
result<std::uint32_t> number_or(const node& instance, std::string_view property,
                                std::uint32_t otherwise, std::uint32_t max = 0xFFFFFFFF);
result<bool> bool_or(const node& instance, std::string_view property, bool otherwise);
/// Text of at most `max` octets; empty if it is not told.
result<std::string> text_in(const node& instance, std::string_view property,
                            std::size_t max = 1024);

} // namespace outband::wsman
