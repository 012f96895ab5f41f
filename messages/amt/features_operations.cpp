#include "messages/amt/argument.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/features.hpp"

namespace outband::amt {

namespace {

result<json::value> get(wsman::talk& t, const json::value&) {
  auto told = get_features(t);
  if (!told)
    return told.error();
  json::object out;
  if (told->user_consent)
    out.push_back({"userConsent", to_string(*told->user_consent)});
  const auto add = [&](const char* name, bool value) {
    out.push_back({name, value});
  };
  add("redirection", told->listener);
  add("KVM", told->kvm);
  add("SOL", told->sol);
  add("IDER", told->ider);
  out.push_back({"optInState", static_cast<int>(told->consent_state)});
  add("kvmAvailable", told->kvm_available);
  add("ocr", told->ocr);
  add("httpsBootSupported", told->https_boot);
  add("winREBootSupported", told->winre_boot);
  add("localPBABootSupported", told->local_pba_boot);
  add("remoteErase", told->rpe); // MPS: always false
  add("rpe", told->rpe);         // Console's names
  add("rpeSupported", told->rpe_supported);
  return json::value(std::move(out));
}

std::vector<rest::field_error> check(const json::value& argument) {
  argument_reader r(argument);
  const auto* consent = argument.find("userConsent");
  if (consent == nullptr || consent->text() == nullptr || !parse_consent_policy(*consent->text()))
    r.wrong("userConsent", "must be one of kvm, all, none");
  if (consent == nullptr || consent->text() == nullptr) // MPS has two checks for it
    r.wrong("userConsent", "must be a string");
  r.boolean("enableSOL");
  r.boolean("enableIDER");
  r.boolean("enableKVM");
  r.boolean("ocr", argument_reader::must::may_miss);
  r.boolean("rpe", argument_reader::must::may_miss);
  return std::move(r).errors();
}

result<json::value> set(wsman::talk& t, const json::value& argument) {
  feature_wish wish;
  wish.user_consent =
      parse_consent_policy(text_at(argument, "userConsent")).value_or(consent_policy::all);
  wish.sol = boolean_at(argument, "enableSOL").value_or(false);
  wish.ider = boolean_at(argument, "enableIDER").value_or(false);
  wish.kvm = boolean_at(argument, "enableKVM").value_or(false);
  wish.ocr = boolean_at(argument, "ocr");
  wish.rpe = boolean_at(argument, "rpe");
  if (auto told = set_features(t, wish); !told)
    return told.error();
  return json::value(json::object{{"status", "AMT Features updated"}});
}

} // namespace

std::vector<operation> feature_operations() {
  using namespace std::chrono_literals;
  using wsman::effect;
  operation read{"features.get", effect::none, get};
  read.deadline = 20s;
  read.fact = "features";
  operation write{"features.set", effect::change, set, check};
  write.deadline = 30s;
  write.look_after = "features.get";
  return {read, write};
}

} // namespace outband::amt
