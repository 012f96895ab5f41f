#include "actors/ports/removal.hpp"
#include "gateway/rest/host_find.hpp"
#include "gateway/rest/host_removal.hpp"
#include "gateway/rest/router.hpp"
#include "messages/domain/text.hpp"
#include "messages/rest/host.hpp"
#include "messages/rest/target.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>

namespace outband::rest {

namespace {

std::string name_of(const device_record& d) {
  return d.friendly_name && !d.friendly_name->empty() ? *d.friendly_name
         : d.hostname.empty()                         ? to_string(d.ref.device)
                                                      : d.hostname;
}

/// The link as the link table has it, which may be ahead of what was told and stored of it: a
/// terminator that died tells nothing. Only that a tunnel is silent is known nowhere else.
current_state::link_report link_of(const device_row& row) {
  const auto& told = row.current.link;
  const auto& fact = row.link;
  if (fact.epoch == 0 || (fact.state == link_state::up && told.epoch == fact.epoch &&
                          (told.state == link_state::up || told.state == link_state::late)))
    return told;
  return {fact.state, fact.epoch, fact.instance, fact.peer, fact.why, fact.since};
}

/// What an operator must always see: wanted, actual, why they differ, since when, and how old the
/// observation is. Members beyond EMF's; its clients skip them.
json::value power_json(const device_row& row, link_state link, time_ms now) {
  const auto& p = row.current.power;
  const auto level = level_of(p.state);
  auto wrong = std::find_if(row.current.conditions.begin(), row.current.conditions.end(),
                            [](const condition& c) { return !c.ok; });
  const bool differs = wrong != row.current.conditions.end();
  const bool converged = !differs && row.current.desired_rev == row.desired_rev &&
                         (row.desired.power.target == power_target::keep ||
                          satisfies(level, row.desired.power.target));
  json::object o{
      {"wanted", to_string(row.desired.power.target)},
      {"policy", to_string(row.desired.power.policy)},
      {"actual", to_string(level)},
      {"code", static_cast<int>(p.state)},
      {"since", iso_time(p.since)},
      {"observedAt", iso_time(p.observed)},
      {"observationAgeSeconds",
       p.observed > 0 ? json::value(std::max<time_ms>(now - p.observed, 0) / 1000) : json::value()},
      {"lastKnown", link != link_state::up}, // no machine to ask: it may have changed since
      {"converged", converged},
      {"desiredRevision", row.desired_rev},
      {"currentRevision", row.current_rev}};
  if (differs)
    o.push_back({"difference", json::object{{"type", wrong->type},
                                            {"code", wrong->code},
                                            {"reason", wrong->reason},
                                            {"since", iso_time(wrong->since)}}});
  return o;
}

/// `leaving`: null unless somebody wants it to go.
json::value host_json(const device_row& row, time_ms now, const removal* leaving = nullptr) {
  const auto& d = row.record;
  const auto status = power_status(row.desired, row.current);
  const auto level = level_of(row.current.power.state);
  const auto link = link_of(row);
  const auto mode = row.current.amt.provisioning_mode;
  const auto host_status = link.state == link_state::up     ? "Running"
                           : link.state == link_state::late ? "No sign of life"
                           : link.state == link_state::down ? "Not connected"
                                                            : "Unknown";
  json::object o{{"resourceId", host_id(d.ref.device)},
                 {"name", name_of(d)},
                 {"hostname", d.hostname},
                 {"uuid", to_string(d.ref.device)},
                 {"tenantId", d.ref.tenant},
                 {"hostStatus", host_status},
                 {"hostStatusTimestamp", link.since / 1000},
                 {"desiredPowerState", power_state_name(row.desired.power.target)},
                 {"currentPowerState", power_state_name(level)},
                 {"powerStatus", status.text},
                 {"powerStatusIndicator", status.indicator},
                 {"powerStatusTimestamp", status.since / 1000},
                 {"powerCommandPolicy", power_policy_name(row.desired.power.policy)},
                 {"powerOnTime", level == power_level::on ? row.current.power.since / 1000 : 0},
                 {"currentAmtState", mode == 0 ? "AMT_STATE_UNSPECIFIED" : "AMT_STATE_PROVISIONED"},
                 {"amtControlMode", mode == 1   ? "AMT_CONTROL_MODE_ACM"
                                    : mode == 4 ? "AMT_CONTROL_MODE_CCM"
                                                : "AMT_CONTROL_MODE_UNSPECIFIED"},
                 {"amtVersion", row.current.amt.version},
                 {"amtDnsSuffix", d.dns_suffix.value_or("")},
                 {"power", power_json(row, link.state, now)},
                 {"link", json::object{{"state", to_string(link.state)},
                                       {"instance", link.instance},
                                       {"why", link.why},
                                       {"since", iso_time(link.since)}}}};
  json::array open;
  for (const auto& cmd : row.open_commands)
    open.push_back(json::object{{"id", to_string(cmd.id)},
                                {"act", cmd.act},
                                {"status", to_string(cmd.status)},
                                {"by", cmd.by},
                                {"created", iso_time(cmd.created)},
                                {"deadline", iso_time(cmd.deadline)}});
  o.push_back({"openRequests", std::move(open)});
  if (leaving != nullptr) {
    o.push_back({"desiredState", leaving->kind == removal_kind::remove ? "HOST_STATE_DELETED"
                                                                       : "HOST_STATE_UNTRUSTED"});
    o.push_back({"currentState", leaving->state == removal_state::done ? "HOST_STATE_UNTRUSTED"
                                                                       : "HOST_STATE_ONBOARDED"});
    o.push_back({"removal", removal_json(*leaving)});
  }
  return o;
}

void refuse_host(const call_ptr& c, const failure& why) {
  c->refuse(why.what == problem::not_found ? fail(problem::not_found, "There is no such host.")
                                           : why);
}

/// Loads the host that the path names.
void load(const call_ptr& c, std::function<void(device_row)> then) {
  find_host(c, c->params.at(0), [c, then = std::move(then)](result<device_id> id) {
    if (!id)
      return refuse_host(c, id.error());
    c->with().store->show_device({c->tenant, *id}, [c, then](result<device_row> row) {
      row ? then(std::move(*row)) : refuse_host(c, row.error());
    });
  });
}

/// Those of these machines that are to go.
void leaving(const call_ptr& c, std::vector<device_id> hosts,
             std::function<void(const std::vector<removal>&)> then) {
  if (c->with().removals == nullptr || hosts.empty())
    return then({});
  c->with().removals->of(c->tenant, std::move(hosts),
                         [c, then = std::move(then)](const result<std::vector<removal>>& found) {
                           found ? then(*found) : c->refuse(found.error());
                         });
}

void one(const call_ptr& c) {
  load(c, [c](const device_row& row) {
    leaving(c, {row.record.ref.device}, [c, row](const std::vector<removal>& going) {
      c->answer(200,
                host_json(row, c->with().clock->now(), going.empty() ? nullptr : &going.front()));
    });
  });
}

// -- list -------------------------------------------------------------------------------------

result<std::size_t> number(const call_ptr& c, const char* name, std::size_t fallback,
                           std::size_t least, std::size_t most) {
  const auto* s = c->req.target.parameter(name);
  if (!s || s->empty())
    return fallback;
  std::size_t n = 0;
  auto [end, ec] = std::from_chars(s->data(), s->data() + s->size(), n);
  if (ec != std::errc{} || end != s->data() + s->size() || n < least || n > most)
    return fail(problem::malformed,
                "must be a whole number from " + std::to_string(least) + " to " +
                    std::to_string(most),
                name);
  return n;
}

/// Of AIP-160 only `field = "value"` for one of the names; anything else is refused, not ignored.
status apply_filter(const std::string& text, device_filter& f, std::optional<std::string>& single) {
  auto eq = text.find('=');
  auto trim = [](std::string_view s) {
    auto a = s.find_first_not_of(" \""), b = s.find_last_not_of(" \"");
    return a == std::string_view::npos ? std::string() : std::string(s.substr(a, b - a + 1));
  };
  auto field = lower(trim(std::string_view(text).substr(0, eq)));
  auto value =
      eq == std::string::npos ? std::string() : trim(std::string_view(text).substr(eq + 1));
  if (!value.empty() && value.find_first_of("\"=") == std::string::npos) {
    if (field == "uuid" || field == "resourceid" || field == "resource_id" || field == "name") {
      single = value;
      return success();
    }
    if (field == "hostname") {
      f.hostname = value;
      return success();
    }
  }
  return fail(problem::malformed,
              "must be one of uuid, resourceId, name, hostname, an equals sign and a value",
              "filter");
}

void answer_list(const call_ptr& c, std::vector<device_ref> refs, std::size_t total, bool more) {
  auto rows = std::make_shared<std::vector<std::optional<device_row>>>(refs.size());
  auto all = std::make_shared<std::vector<device_ref>>(std::move(refs));
  auto step = [c, rows, all](std::size_t i, answer<nothing> next) {
    c->with().store->show_device((*all)[i], [rows, i, next](result<device_row> row) {
      if (row)
        (*rows)[i] = std::move(*row);
      else if (row.error().what != problem::not_found) // removed meanwhile
        return next(row.error());
      next(nothing{});
    });
  };
  for_each_bounded(all->size(), 8, step, [c, rows, total, more](result<nothing> done) {
    if (!done)
      return c->refuse(done.error());
    std::vector<device_id> shown;
    for (const auto& row : *rows)
      if (row)
        shown.push_back(row->record.ref.device);
    leaving(c, std::move(shown), [c, rows, total, more](const std::vector<removal>& going) {
      json::array hosts;
      for (const auto& row : *rows) {
        if (!row)
          continue;
        auto at = std::find_if(going.begin(), going.end(),
                               [&](const removal& r) { return r.device == row->record.ref; });
        hosts.push_back(
            host_json(*row, c->with().clock->now(), at == going.end() ? nullptr : &*at));
      }
      c->answer(200, json::object{
                         {"hosts", std::move(hosts)}, {"totalElements", total}, {"hasNext", more}});
    });
  });
}

void list(const call_ptr& c) {
  device_filter f;
  f.tenant = c->tenant;
  auto top = number(c, "pageSize", 20, 1, 100);
  auto skip = number(c, "offset", 0, 0, 100'000'000);
  if (!top || !skip)
    return c->refuse(top ? skip.error() : top.error());
  f.top = *top;
  f.skip = *skip;
  if (const auto* order = c->req.target.parameter("orderBy"); order && !order->empty())
    return c->refuse(fail(problem::malformed, "hosts are ordered by uuid only", "orderBy"));
  std::optional<std::string> single;
  if (const auto* text = c->req.target.parameter("filter"); text && !text->empty())
    if (auto ok = apply_filter(*text, f, single); !ok)
      return c->refuse(ok.error());
  if (single)
    return find_host(c, *single, [c](result<device_id> id) {
      if (!id && id.error().what != problem::not_found)
        return c->refuse(id.error());
      if (!id)
        return answer_list(c, {}, 0, false);
      c->with().store->get_device({c->tenant, *id}, [c](result<device_record> d) {
        if (!d && d.error().what != problem::not_found)
          return c->refuse(d.error());
        if (!d)
          return answer_list(c, {}, 0, false);
        answer_list(c, {d->ref}, 1, false);
      });
    });
  const auto first = f.skip;
  c->with().store->list_devices(f, [c, first](result<device_page> p) {
    if (!p)
      return c->refuse(p.error());
    std::vector<device_ref> refs;
    for (const auto& d : p->rows)
      refs.push_back(d.ref);
    const bool more = first + refs.size() < p->total;
    answer_list(c, std::move(refs), p->total, more);
  });
}

// -- patch ------------------------------------------------------------------------------------

/// Stored and, if it is a command, sent to the machine: 200. 202: stored, and not sent yet.
void submitted(const call_ptr& c, const device_ref& ref, const uuid& id, int status) {
  c->with().store->show_device(ref, [c, id, status](result<device_row> row) {
    if (!row)
      return c->refuse(row.error());
    auto body = host_json(*row, c->with().clock->now());
    body.members()->push_back({"requestId", to_string(id)});
    auto answer = web::json_response(status, json::dump(body));
    answer.headers.emplace_back("Location", "/api/v1/requests/" + to_string(id));
    c->answer(std::move(answer));
  });
}

/// How long an answer may wait for the machine to be read and the command to be sent.
constexpr std::chrono::milliseconds patience{10'000};

/// A command is told several times. That it is stored says little, for the machine's state may
/// still forbid it, which shows as soon as it is read: that it was sent, or why not, is the answer.
class first_word {
public:
  void stored() {
    auto expected = stage::nothing;
    at_.compare_exchange_strong(expected, stage::stored);
  }
  /// True once.
  bool answer() { return at_.exchange(stage::answered) != stage::answered; }
  /// True if it is stored and nothing was answered.
  bool give_up() {
    auto expected = stage::stored;
    return at_.compare_exchange_strong(expected, stage::answered);
  }

private:
  enum class stage : std::uint8_t { nothing, stored, answered };
  std::atomic<stage> at_{stage::nothing};
};

void change_power(const call_ptr& c, const host_patch& p, const uuid& id, const device_row& row) {
  request r;
  r.id = id;
  r.target = row.record.ref;
  r.by = c->by();
  r.channel = "rest";
  r.address = c->req.peer;
  if (p.once)
    r.body = ask_once{*p.once, p.policy.value_or(row.desired.power.policy)};
  else
    r.body = ask_desired{{p.target, p.policy}, {}};
  auto ref = r.target;
  auto first = std::make_shared<first_word>();
  if (p.once && c->with().later)
    c->with().later(patience, [weak = std::weak_ptr<call>(c), ref, id, first] {
      if (auto waiting = weak.lock(); waiting && first->give_up())
        submitted(waiting, ref, id, 202);
    });
  c->with().control->submit(std::move(r), c->held, [c, ref, first](const response& answer) {
    if (answer.status == request_status::accepted)
      return first->stored();
    if (!first->answer())
      return;
    if (answer.status == request_status::running || answer.status == request_status::done)
      return submitted(c, ref, answer.id, 200);
    c->refuse(answer.why.value_or(fail(problem::internal, answer.text)));
  });
}

void patch(const call_ptr& c) {
  auto body = c->body();
  if (!body)
    return;
  auto parsed = parse_host_patch(*body);
  if (!parsed)
    return c->refuse(parsed.error());
  auto id = c->request_id();
  if (!id)
    return;
  load(c, [c, p = *parsed, id = *id](const device_row& row) {
    const bool power = p.target || p.once || p.policy;
    // EMF's schema requires the name, so clients send it back: only another one renames.
    if (!p.name || *p.name == name_of(row.record))
      return power ? change_power(c, p, id, row)
                   : c->answer(200, host_json(row, c->with().clock->now()));
    device_change ch;
    ch.ref = row.record.ref;
    ch.friendly_name.emplace(*p.name);
    c->with().store->update_device(ch, [c, p, id, row, power](result<device_record> d) {
      if (!d)
        return refuse_host(c, d.error());
      if (power)
        return change_power(c, p, id, row);
      auto renamed = row;
      renamed.record = std::move(*d);
      c->answer(200, host_json(renamed, c->with().clock->now()));
    });
  });
}

} // namespace

void add_host_routes(router& r) {
  r.add("GET /compute/hosts", dialect::emf, list);
  r.add("GET /compute/hosts/{id}", dialect::emf, one);
  r.add("PATCH /compute/hosts/{id}", dialect::emf, patch);
  r.add("GET /v1/projects/{project}/compute/hosts", dialect::emf, list);
  r.add("GET /v1/projects/{project}/compute/hosts/{id}", dialect::emf, one);
  r.add("PATCH /v1/projects/{project}/compute/hosts/{id}", dialect::emf, patch);
}

} // namespace outband::rest
