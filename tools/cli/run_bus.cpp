#include "tools/cli/runner.hpp"
#include "tools/cli/text.hpp"

#include <ostream>

namespace outband::cli {

namespace {
using steady = std::chrono::steady_clock;
}

void runner::note(const std::string& text) {
  with_.err << local_clock(with_.now()) << "  " << printable(text) << "\n" << std::flush;
}

exit_code runner::report(const order_report& r) {
  if (json())
    with_.out << order_json(r);
  else
    (r.ended.code == exit_code::ok ? with_.out : with_.err)
        << (r.ended.code == exit_code::ok ? "" : "outband: ")
        << printable(r.about.name + ": " + r.ended.text) << "\n";
  return r.ended.code;
}

result<exit_code> runner::operator()(const set_host_command& c) {
  if (auto ok = connect(); !ok)
    return ok.error();
  api server(*transport_, as_);
  auto h = server.find_host(c.host);
  if (!h)
    return h.error();
  const auto request = with_.new_id();
  if (c.wait)
    return order_and_wait(c, *h, request);
  auto after = server.order_power(*h, c, request);
  if (!after)
    return after.error();
  const auto word = std::string(power_word(c.power));
  const bool once = std::holds_alternative<power_once>(c.power);
  order_report r{*after, word, std::string(to_string(c.policy)), request};
  r.ended = {exit_code::ok, "stored",
             once ? "The " + word + " is ordered. It was " + after->power + " when last observed."
                  : "It is wanted " + word + ". It was " + after->power +
                        " when last observed; --wait would tell when it is " + word + ".",
             ""};
  return report(r);
}

result<bus_link> runner::open_bus(tenant_key& tenant) {
  auto ticket = api(*transport_, as_).ticket();
  if (!ticket)
    return ticket.error();
  tenant = ticket->tenant;
  // Another thread asks for later tickets, so it has a transport of its own.
  return with_.open_bus(*ticket, as_, [as = as_, make = with_.connect]() -> result<bus_ticket> {
    auto own = make({as.server, as.ca_file, as.insecure});
    if (!own)
      return own.error();
    return api(**own, as).ticket();
  });
}

status runner::await_bus(follower& news_of, const bus_link& link, std::vector<news>& early) {
  const auto until = steady::now() + with_.bus_patience;
  while (auto n = news_of.next(until)) {
    if (const auto* c = std::get_if<connection_news>(&*n)) {
      if (c->up)
        return success();
    } else {
      early.push_back(std::move(*n));
    }
  }
  auto why = link.trouble ? link.trouble() : std::string();
  return fail(problem::bus_unavailable,
              "The broker" + (link.where.empty() ? std::string() : " at " + link.where) +
                  " cannot be used" + (why.empty() ? std::string() : ": " + why) +
                  ". Is the port open, and does the file of --ca hold the broker's root "
                  "(bus-ca.crt) too?");
}

result<exit_code> runner::order_and_wait(const set_host_command& c, const host& h,
                                         const uuid& request) {
  api server(*transport_, as_);
  tenant_key tenant;
  auto link = open_bus(tenant);
  if (!link)
    return link.error();
  follow_options what;
  what.tenant = tenant;
  what.device = h.guid;
  what.wishes = true;
  // Subscribed before the order is given, so that no event of it is missed.
  follower news_of(*link->endpoint, what);
  std::vector<news> early;
  if (auto ok = await_bus(news_of, *link, early); !ok)
    return fail(ok.error().what, ok.error().detail + " Nothing was ordered.");

  waiting w(c.power, request);
  auto take = [&](const news& n) {
    if (const auto* up = std::get_if<connection_news>(&n)) {
      if (up->up)
        w.reconnected();
      else
        note("The connection to the broker is lost; trying again.");
    } else if (const auto* cur = std::get_if<document_news<current_state>>(&n)) {
      w.on(cur->what);
    } else if (const auto* wish = std::get_if<document_news<desired_state>>(&n)) {
      w.on(wish->what);
    } else if (const auto* e = std::get_if<document_news<event>>(&n)) {
      w.on(e->what);
    }
  };
  for (const auto& n : early)
    take(n);
  while (auto n = news_of.next(steady::now())) // retained documents that are here already
    take(*n);

  const auto until = steady::now() + c.timeout;
  auto ordered = server.order_power(h, c, request);
  if (!ordered)
    return ordered.error();
  auto ask = [&] {
    auto o = server.outcome(request);
    if (o)
      w.on(*o);
    return o;
  };
  if (auto o = ask(); !o)
    return o.error();
  for (;;) {
    if (w.take_question())
      if (auto o = ask(); !o)
        note("The server does not tell the outcome: " + o.error().detail);
    for (const auto& line : w.take_progress())
      note(line);
    if (w.done())
      break;
    auto n = news_of.next(until);
    if (!n)
      break;
    take(*n);
  }
  if (!w.done())
    if (auto o = ask(); !o) // the last word, in case the bus lost it
      note("The server does not tell the outcome: " + o.error().detail);
  order_report r{h, std::string(power_word(c.power)), std::string(to_string(c.policy)), request};
  r.rev = w.rev();
  r.waited = true;
  r.ended = w.done() ? *w.done() : w.timed_out();
  if (r.ended.word == "timed-out")
    r.ended.text =
        "Not observed within " + std::to_string(c.timeout.count() / 1000) + " s. " + r.ended.text;
  return report(r);
}

} // namespace outband::cli
