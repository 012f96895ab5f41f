#include "gateway/rest/admin_kind.hpp"

#include <algorithm>
#include <charconv>

namespace outband::rest {

namespace {

constexpr std::size_t most_rows = 10'000, most_skipped = 1'000'000'000;

/// RPS's word for the kind in "X profile ... Not Found".
const char* type_word(object_kind k) {
  switch (k) {
  case object_kind::profile:
    return "AMT";
  case object_kind::cira_config:
    return "CIRA";
  case object_kind::wireless_config:
    return "Wireless";
  case object_kind::ieee8021x_config:
    return "802.1x";
  case object_kind::proxy_config:
    return "Proxy";
  case object_kind::domain:
    return "Domain";
  }
  return "";
}

std::string taken_text(object_kind k, const std::string& name) {
  switch (k) {
  case object_kind::profile:
    return "AMT profile " + name + " already exists";
  case object_kind::cira_config:
    return "CIRA Config " + name + " already exists.";
  case object_kind::wireless_config:
    return "Wireless profile " + name + " already exists";
  case object_kind::ieee8021x_config:
    return "802.1x config: " + name + " already exists";
  case object_kind::proxy_config:
    return "Proxy profile " + name + " already exists";
  case object_kind::domain:
    return "Domain " + name + " ID or Suffix already exists";
  }
  return {};
}

/// `user`: the kind of what refers to it.
std::string in_use_text(object_kind k, const std::string& name, const std::string& user) {
  switch (k) {
  case object_kind::cira_config:
    return "CIRA Config: " + name + " is associated with an AMT profile";
  case object_kind::ieee8021x_config:
    return "802.1x config: " + name + " is associated with " +
           (user == to_string(object_kind::wireless_config) ? "a wireless profile."
                                                            : "an AMT Profile.");
  case object_kind::wireless_config:
  case object_kind::proxy_config:
  case object_kind::profile:
  case object_kind::domain:
    return std::string(type_word(k)) + " profile: " + name + " is associated with an AMT Profile.";
  }
  return {};
}

field_error wrong(const char* path, std::string value, std::string msg) {
  auto why = msg;
  return {json::value(std::move(value)), path, "body", std::move(why), std::move(msg)};
}

std::optional<std::size_t> number_asked(const call_ptr& c, const char* name, std::size_t fallback,
                                        const char* msg, std::vector<field_error>& errors) {
  const auto* text = c->req.target.parameter(name);
  if (!text)
    return fallback;
  std::uint64_t n = 0;
  const auto end = text->data() + text->size();
  const auto r = std::from_chars(text->data(), end, n);
  if (r.ec == std::errc() && r.ptr == end && n <= 9'999'999'999)
    return static_cast<std::size_t>(n);
  errors.push_back({json::value(*text), name, "query", msg, msg});
  return std::nullopt;
}

} // namespace

void rps_refuse(const call_ptr& c, int status, std::string error, std::string message,
                problem code) {
  c->answer(status, json::object{{"error", std::move(error)},
                                 {"message", std::move(message)},
                                 {"code", explain(code).code}});
}

void rps_not_found(const call_ptr& c, object_kind kind, const std::string& name) {
  rps_refuse(c, 404, "Not Found", std::string(type_word(kind)) + " profile " + name + " Not Found",
             problem::not_found);
}

bool rps_refused_write(const call_ptr& c, object_kind kind, const std::string& name,
                       const failure& why) {
  if (why.what == problem::already_exists) {
    rps_refuse(c, 400, "Unique key violation", taken_text(kind, name), why.what);
    return true;
  }
  // An 802.1x configuration that is in use as a wired or a wireless one.
  if (why.what == problem::transition_refused) {
    rps_refuse(c, 400, "Foreign key violation", in_use_text(kind, name, why.field), why.what);
    return true;
  }
  if (why.what == problem::malformed || why.what == problem::too_large) {
    c->refuse({wrong(why.field.c_str(), {}, why.detail)});
    return true;
  }
  return false;
}

void rps_refuse_removal(const call_ptr& c, object_kind kind, const std::string& name,
                        const failure& why) {
  rps_refuse(c, 400, kind == object_kind::ieee8021x_config ? "Error" : "Foreign key violation",
             in_use_text(kind, name, why.field), why.what);
}

std::string admin_act(object_kind kind, std::string_view verb) {
  std::string out(to_string(kind));
  out.erase(std::remove(out.begin(), out.end(), '-'), out.end());
  return out + "." + std::string(verb);
}

const char* name_member(object_kind kind) {
  if (kind == object_kind::cira_config)
    return "configName";
  return kind == object_kind::proxy_config ? "name" : "profileName";
}

// -- what is missing ------------------------------------------------------------------------------

namespace {

/// Those of `names` that `rows` does not have, then `done`.
template <class T>
void find_missing(const call_ptr& c, std::vector<std::string> names,
                  std::function<void(std::vector<std::string>)> done) {
  auto all = std::make_shared<std::vector<std::string>>(std::move(names));
  auto missing = std::make_shared<std::vector<std::string>>();
  for_each_bounded(
      all->size(), 1,
      [c, all, missing](std::size_t i, answer<nothing> next) {
        admin_kind<T>::rows(c).get(c->tenant, (*all)[i],
                                   [all, missing, i, next](result<stored<T>> one) {
                                     if (!one && one.error().what != problem::not_found)
                                       return next(one.error());
                                     if (!one)
                                       missing->push_back((*all)[i]);
                                     next(nothing{});
                                   });
      },
      [c, missing, done](result<nothing> ok) {
        ok ? done(std::move(*missing)) : c->refuse(ok.error());
      });
}

std::vector<std::string> names_of(const std::vector<ranked_name>& all) {
  std::vector<std::string> out;
  for (const auto& r : all)
    out.push_back(r.name);
  return out;
}

std::string joined(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& s : all)
    out += (out.empty() ? "" : ",") + s;
  return out;
}

template <class T>
void refuse_list(const call_ptr& c, const char* path, const char* word,
                 const std::vector<ranked_name>& all) {
  find_missing<T>(c, names_of(all), [c, path, word](std::vector<std::string> missing) {
    c->refuse(
        {wrong(path, joined(missing),
               std::string(word) + " configs " + joined(missing) + " does not exists in db")});
  });
}

/// It does not exist, or is for the other kind of network.
void refuse_ieee8021x(const call_ptr& c, const std::string& name, const char* other_kind,
                      bool fresh) {
  find_missing<ieee8021x_config>(
      c, {name}, [c, name, other_kind, fresh](std::vector<std::string> missing) {
        std::string msg = "Ieee8021x profile " + name + " is for " + other_kind + " interfaces";
        if (!missing.empty())
          msg = fresh ? "Ieee8021x profile " + name + " does not exist in db"
                      : "IEEEProfile config " + name + " does not exists in db";
        c->refuse({wrong("ieee8021xProfileName", name, std::move(msg))});
      });
}

} // namespace

void refuse_missing(const call_ptr& c, const profile& p, bool fresh, const failure& why) {
  if (why.field == "ciraConfigName")
    return rps_refuse(c, 400, "Foreign key constraint violation",
                      "Referenced config " + p.cira_config.value_or("") + " doesn't exist",
                      why.what);
  if (why.field == "wifiConfigs")
    return refuse_list<wireless_config>(c, "wifiConfigs", "wifi", p.wifi);
  if (why.field == "proxyConfigs")
    return refuse_list<proxy_config>(c, "proxyConfigs", "proxy", p.proxies);
  if (why.field == "ieee8021xProfileName")
    return refuse_ieee8021x(c, p.ieee8021x.value_or(""), "wireless", fresh);
  c->refuse(why);
}

void refuse_missing(const call_ptr& c, const wireless_config& w, bool, const failure& why) {
  if (why.field == "ieee8021xProfileName")
    return refuse_ieee8021x(c, w.ieee8021x.value_or(""), "wired", true);
  c->refuse(why);
}

// -- pages and answers ----------------------------------------------------------------------------

std::optional<admin_page> page_asked(const call_ptr& c) {
  std::vector<field_error> errors;
  auto top = number_asked(c, "$top", 25,
                          "The number of items to return should be a positive integer", errors);
  auto skip = number_asked(c, "$skip", 0,
                           "The number of items to skip before starting to collect the result set "
                           "should be a positive integer",
                           errors);
  admin_page out;
  if (const auto* count = c->req.target.parameter("$count")) {
    out.count = *count == "true" || *count == "1";
    const char* msg = "To return total number of records in result set should be boolean";
    if (!out.count && *count != "false" && *count != "0")
      errors.push_back({json::value(*count), "$count", "query", msg, msg});
  }
  if (!errors.empty()) {
    c->refuse(errors);
    return std::nullopt;
  }
  out.wish = {std::min(*skip, most_skipped), std::min(*top, most_rows)};
  return out;
}

void answer_page(const call_ptr& c, bool count, json::array rows, std::size_t total) {
  if (!count)
    return c->answer(200, std::move(rows));
  c->answer(200, json::object{{"data", std::move(rows)}, {"totalCount", total}});
}

void answer_object(const call_ptr& c, int status, const json::value& body, row_version version) {
  auto r = web::json_response(status, json::dump(body));
  if (version != 0)
    r.headers.emplace_back("ETag", "\"" + std::to_string(version) + "\"");
  c->answer(std::move(r));
}

bool provisions(const call_ptr& c) {
  if (c->with().provisioning)
    return true;
  c->refuse(fail(problem::unsupported, "This node has no provisioning."));
  return false;
}

result<sealed_fields> sealed(const call_ptr& c, object_kind kind, const std::string& name,
                             const plain_secrets& secrets) {
  sealed_fields out;
  for (const auto& [field, text] : secrets) {
    out[field] = "";
    if (text.empty())
      continue;
    auto one = c->with().secrets->seal_named(c->tenant, secret_label(kind, name, field), text);
    if (!one)
      return one.error();
    out[field] = std::move(*one);
  }
  return out;
}

} // namespace outband::rest
