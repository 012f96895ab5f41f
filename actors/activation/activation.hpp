/// The activation actor: one provisioning connection from its first frame to its last.
///
/// It goes through a list of steps (plan.hpp): each is carried out by the function of its name, in
/// steps_admission.cpp (before a word is said to the machine), steps_modes.cpp (passwords and
/// control modes), steps_configuration.cpp and steps_network.cpp; what follows a failure is the
/// plan's affair.
///
/// What holds whatever happens: a password is stored as pending before the machine is told, and is
/// promoted only after a sign-in with it has succeeded; what was pending is never replaced by
/// another random one, for the machine may have it already. So an end at any point leaves a machine
/// whose password is in the store, and doing the same again goes on.
/// Context: actor pool; answers of ports come back as activation_step.
#pragma once

#include "actors/activation/site.hpp"
#include "actors/interfaces.hpp"
#include "messages/amt/configure_8021x.hpp"
#include "messages/amt/configure_network.hpp"
#include "messages/amt/setup.hpp"
#include "messages/amt/wifi.hpp"
#include "messages/provisioning/pfx.hpp"
#include "messages/wsman/conversation.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace outband::activation {

/// What was learnt on the way.
struct knowledge {
  activation_token token;
  std::string token_hash; ///< empty: by the bare path
  device_ref device;
  std::optional<device_record> record; ///< as it was registered before
  std::optional<resolved_profile> profile;
  std::shared_ptr<const provisioning::provisioning_certificate> certificate;
  secret_versions amt, mebx, mps;
  std::vector<secret_text> candidates; ///< for signing in, best first
  secret_text new_amt, new_mebx, new_mps;
  std::string realm;
  amt::host_setup setup;
  std::optional<amt::setup_proof> proof; ///< the one signature of this connection
  int mode = 0;
  secret_text present;            ///< the password that is right now
  bool in_tls = false;            ///< what is posted goes inside a TLS session
  bool our_certificate = false;   ///< the firmware shows a certificate that we issued
  std::string certificate_sha256; ///< of that one
  bool tls_restarts = false;      ///< between the firmware's own certificate and ours
};

class activation_run {
public:
  static inline const char* name = "outband.activation";

  void start(activation_actor::pointer self, const site* where, activation_port::connection who,
             std::shared_ptr<provisioning_wish> wish);
  ~activation_run();
  void closed();

private:
  // -- going through the plan (activation.cpp) --
  void perform();
  void done();
  void failed(failure why);
  void next();
  void conclude(outband::activation_state how, failure why);
  provisioning_report report(bool success, const failure& why) const;
  void tell_rps_events(bool activated) const;
  std::string words_for_mode() const;
  /// `then` runs when it is stored, or could not be; on any thread.
  void note(outband::activation_state how, const std::string& text, const std::string& code,
            std::function<void()> then = {});
  situation where_we_are() const;
  /// The profile names it; nullptr before it is read.
  const profile* chosen() const { return known_.profile ? &known_.profile->base.what : nullptr; }
  void component_failed(component what, const failure& why);
  void component_done(component what, std::string details, std::string mode = {});
  std::string who() const; ///< "Device <guid>"
  /// MPS's deviceInfo as RPS writes it: a JSON object.
  std::string device_info() const;

  /// Wraps a port's completion so that it continues on this actor, unless its step is over.
  template <class T, class F> answer<T> here(F f) {
    return [me = weak_handle<activation_actor>(self_), attempt = attempt_id_, this,
            f = std::make_shared<F>(std::move(f))](result<T> r) mutable {
      auto value = std::make_shared<result<T>>(std::move(r));
      me.tell(activation_step{std::make_shared<std::function<void()>>([this, attempt, f, value] {
        if (attempt == attempt_id_ && !over_)
          (*f)(*value);
      })});
    };
  }
  /// The same for an answer whose failure fails the step.
  template <class T, class F> answer<T> or_fail(F f) {
    return here<T>([this, f = std::move(f)](result<T>& r) mutable {
      if (!r)
        return failed(r.error());
      f(*r);
    });
  }
  void later(std::chrono::milliseconds dt, std::function<void()> what);

  /// One conversation with the firmware; a failure fails the step.
  template <class T>
  void converse(typename wsman::conversation<T>::function what, std::function<void(T)> then) {
    auto c = std::make_shared<wsman::conversation<T>>(std::move(what), next_message_id());
    exchange(c, [this, c, then = std::move(then)] {
      auto told = c->outcome();
      if (!told)
        return failed(told.error());
      then(std::move(*told));
    });
  }
  /// The same, but a failure is the caller's affair.
  template <class T>
  void attempt(typename wsman::conversation<T>::function what,
               std::function<void(result<T>)> then) {
    auto c = std::make_shared<wsman::conversation<T>>(std::move(what), next_message_id());
    auto shared = std::make_shared<std::function<void(result<T>)>>(std::move(then));
    on_silence_ = [shared](failure why) {
      (*shared)(std::move(why));
    };
    exchange(c, [this, c, shared] {
      on_silence_ = nullptr; // of this conversation, not of one that `then` begins
      (*shared)(c->outcome());
    });
  }
  void exchange(std::shared_ptr<wsman::conversation_base> c, std::function<void()> finished);
  std::uint32_t next_message_id();

  // -- steps_admission.cpp --
  void find_token();
  void find_token_less();
  void find_device();
  void find_removal();
  void read_passwords();
  void load_profile();
  void load_domain();
  void use_token();
  void register_device();
  void begin_row();
  std::optional<failure> claim_refused() const;

  // -- steps_modes.cpp --
  void sign_in_local();
  void sign_in_known(std::size_t candidate);
  void open_tls();
  void switch_port();
  void read_settings();
  void reserve_passwords();
  void reserve_mebx();
  void setup_client_mode();
  void read_host_setup();
  void add_certificates();
  void sign_nonce(std::function<void(amt::setup_proof)> then);
  void admin_setup();
  void upgrade_to_admin();
  void set_admin_password();
  void sign_in_new();
  void confirm_mode(amt::control_mode wanted);
  void confirm_password();
  void keep_passwords();
  void set_mebx_password();
  void commit_changes();
  void settle();
  void record_device();
  void unprovision();
  void confirm_unprovisioned();
  void forget_device();

  // -- steps_network.cpp --
  bool goes_on_without(component part, const failure& why);
  /// Notes the refused ones.
  bool all_added(component part, const amt::additions& told);
  void configure_network();
  void configure_wireless();
  void configure_8021x();
  void configure_proxies();
  std::optional<failure> unfit_networks() const;
  result<secret_text> open_secret(object_kind kind, const std::string& of, const sealed_fields& all,
                                  const char* field) const;
  result<const stored<ieee8021x_config>*> ieee8021x_named(const std::string& of) const;
  result<std::pair<ieee8021x_config, secret_text>> open_ieee8021x(const std::string& of) const;
  result<amt::wired_8021x_settings> wired_8021x() const;
  result<amt::wifi_profile_request::enterprise> wifi_8021x(const std::string& of) const;
  result<amt::wifi_profile_request> wifi_profile(const stored<wireless_config>& config,
                                                 int priority) const;

  // -- steps_configuration.cpp --
  void sync_time();
  void clear_configuration();
  void clear_credentials(bool tls_stays);
  void configure_features();
  void tls_key();
  void tls_settings();
  void reserve_mps_password();
  void configure_cira();
  void sync_ip();
  void sync_hostname();
  void sync_device_info();

  activation_actor::pointer self_ = nullptr;
  const site* site_ = nullptr;
  activation_port::connection connection_;
  std::shared_ptr<provisioning_wish> wish_;
  knowledge known_;
  uuid id_;
  time_ms started_ = 0;
  std::vector<step> plan_;
  std::size_t at_ = 0;
  int tries_ = 0;
  bool planned_ = false; ///< admission is through, the plan is complete
  bool noted_ = false;   ///< there is a row to write to
  bool over_ = false;
  bool unprovisioned_ = false; ///< the firmware said so
  std::uint64_t attempt_id_ = 0;
  std::uint32_t message_id_ = 0;
  std::function<void(failure)> on_silence_;
  std::vector<component_result> components_;
  std::optional<problem> trouble_; ///< of the first component that failed
  std::string machine_key_;        ///< of TLS: the public key that the machine made
};

activation_actor::behavior_type
activation_behavior(activation_actor::stateful_pointer<activation_run> self, const site* where,
                    activation_port::connection who, std::shared_ptr<provisioning_wish> wish);

} // namespace outband::activation
