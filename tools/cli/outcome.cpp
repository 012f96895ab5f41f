#include "tools/cli/outcome.hpp"

#include "tools/cli/text.hpp"

namespace outband::cli {

namespace {

enum class origin { server, unreachable, certificate, timeout, answer, usage };

origin origin_of(const failure& f) {
  if (f.field == usage_field)
    return origin::usage;
  if (f.field == "https.connect")
    return origin::unreachable;
  if (f.field == "https.certificate")
    return origin::certificate;
  if (f.field == "https.timeout")
    return origin::timeout;
  if (f.field.rfind("https.", 0) == 0)
    return origin::answer;
  return origin::server;
}

std::string next_of(const failure& f, const std::string& server) {
  switch (origin_of(f)) {
  case origin::usage:
    return "See: outband --help";
  case origin::unreachable:
    return "Check the address, that outbandd runs there, and that no firewall is in between.";
  case origin::timeout:
    return "Check the network and the server's load, then try again; an order that was already "
           "stored is kept.";
  case origin::certificate:
    return "If the site made its own certificates, copy certificates/cira-root.crt and "
           "certificates/bus-ca.crt from the "
           "server's data folder over a way you trust (scp, a USB stick), put both into one file, "
           "compare\n    openssl x509 -in FILE -noout -fingerprint -sha256\nwith what the server's "
           "administrator sees, and pass --ca FILE. To look at what " +
           (server.empty() ? std::string("the server") : server) +
           " shows:\n    openssl s_client -connect HOST:PORT -showcerts </dev/null\nWhat that "
           "shows proves nothing until it is compared.";
  case origin::answer:
    return "Is this the address of an Outband server? A proxy in between may have answered.";
  case origin::server:
    break;
  }
  if (f.what == problem::unauthenticated)
    return "Sign in: outband login" + (server.empty() ? "" : " --server " + server);
  if (f.what == problem::not_found)
    return "See what there is: outband list hosts";
  return std::string(explain(f.what).next);
}

} // namespace

exit_code exit_of(const failure& f) {
  switch (origin_of(f)) {
  case origin::usage:
    return exit_code::usage;
  case origin::unreachable:
  case origin::certificate:
  case origin::timeout:
  case origin::answer:
    return exit_code::other;
  case origin::server:
    break;
  }
  switch (f.what) {
  case problem::unauthenticated:
    return exit_code::not_signed_in;
  case problem::not_found:
    return exit_code::not_found;
  case problem::transition_refused:
  case problem::unsupported:
  case problem::device_refused:
  case problem::duplicate_guid:
    return exit_code::refused;
  case problem::expired:
  case problem::device_timeout:
    return exit_code::timed_out;
  case problem::malformed:
  case problem::too_large:
  case problem::forbidden:
  case problem::already_exists:
  case problem::revision_conflict:
  case problem::link_down:
  case problem::stale_epoch:
  case problem::busy:
  case problem::device_protocol:
  case problem::device_auth:
  case problem::outcome_unknown:
  case problem::store_unavailable:
  case problem::bus_unavailable:
  case problem::cancelled:
  case problem::internal:
  case problem::stale_controller:
    return exit_code::other;
  }
  return exit_code::other;
}

std::string code_of(const failure& f) {
  switch (origin_of(f)) {
  case origin::usage:
    return "usage";
  case origin::unreachable:
    return "server-unreachable";
  case origin::certificate:
    return "server-certificate";
  case origin::timeout:
    return "server-timeout";
  case origin::answer:
    return "server-answer";
  case origin::server:
    break;
  }
  return std::string(explain(f.what).code);
}

std::string words_of(const failure& f, const std::string& server) {
  const auto at = server.empty() ? std::string("The server") : server;
  std::string what;
  switch (origin_of(f)) {
  case origin::usage:
    what = f.detail;
    break;
  case origin::unreachable:
    what = at + " cannot be reached: " + f.detail + ".";
    break;
  case origin::certificate:
    what = at + " shows a certificate that cannot be verified: " + f.detail + ".";
    break;
  case origin::timeout:
    what = at + " did not answer in time: " + f.detail + ".";
    break;
  case origin::answer:
    what = at + " answered something unexpected: " + f.detail + ".";
    break;
  case origin::server:
    what = f.detail.empty() ? std::string(explain(f.what).what) : f.detail;
    if (!f.field.empty())
      what = f.field + ": " + what;
    break;
  }
  return "outband: " + printable(what) + "\n" + indented(next_of(f, server), "  ") + "\n";
}

} // namespace outband::cli
