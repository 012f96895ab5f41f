#include "messages/provisioning/domain_suffix.hpp"

#include "messages/domain/text.hpp"

#include <algorithm>

namespace outband::provisioning {

namespace {

constexpr std::size_t max_suffix = 253; ///< RFC 1035, as text
constexpr std::size_t max_candidates = 16;

std::vector<std::string_view> labels_of(std::string_view name) {
  std::vector<std::string_view> out;
  while (!name.empty()) {
    const auto dot = name.find('.');
    out.push_back(name.substr(0, dot));
    name = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
  }
  return out;
}

/// "co.uk", "com.au": a country's second level is nobody's domain.
bool is_country_level(const std::vector<std::string_view>& labels) {
  if (labels.size() < 2 || labels.back().size() != 2)
    return false;
  static constexpr std::string_view levels[] = {"co", "com", "ac",  "gov", "gob",
                                                "or", "org", "net", "ne",  "edu"};
  return std::find(std::begin(levels), std::end(levels), labels[labels.size() - 2]) !=
         std::end(levels);
}

/// The last two labels, or three below a country's second level; the name itself if it has fewer.
std::string_view owned_part(std::string_view name) {
  const auto labels = labels_of(name);
  const std::size_t wanted = is_country_level(labels) ? 3 : 2;
  if (labels.size() <= wanted)
    return name;
  std::size_t size = wanted - 1; // the dots
  for (auto i = labels.size() - wanted; i < labels.size(); ++i)
    size += labels[i].size();
  return name.substr(name.size() - size);
}

/// What follows the host's label.
std::string_view parent_of(std::string_view name) {
  const auto dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
}

bool is_host_name(std::string_view name) {
  return name.find('.') != std::string_view::npos && name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return c > 0x20 && c < 0x7F && c != '/' && c != '@' && c != ':';
         });
}

bool last_labels_suffice(std::string_view name) {
  const auto labels = labels_of(name);
  return !labels.empty() && (labels.back() == "com" || labels.back() == "net");
}

} // namespace

std::string normal_suffix(std::string_view suffix) {
  while (!suffix.empty() && suffix.front() == '.')
    suffix.remove_prefix(1);
  while (!suffix.empty() && suffix.back() == '.')
    suffix.remove_suffix(1);
  std::string out(suffix.substr(0, max_suffix));
  for (auto& c : out)
    c = ascii_lower(c);
  return out;
}

std::vector<std::string> suffix_candidates(std::string_view suffix) {
  const auto whole = normal_suffix(suffix);
  std::vector<std::string> out;
  for (std::string_view rest = whole; !rest.empty() && out.size() < max_candidates;
       rest = parent_of(rest)) {
    if (!out.empty() && rest.find('.') == std::string_view::npos)
      break;
    out.emplace_back(rest);
  }
  return out;
}

suffix_fit fits_suffix(std::string_view common_name, std::string_view suffix) {
  const auto name = normal_suffix(common_name);
  const auto wanted = normal_suffix(suffix);
  if (!is_host_name(name) || wanted.empty())
    return suffix_fit::none;
  if (wanted == name || wanted == parent_of(name)) // "lan" or "com": of nobody, or of a small site
    return wanted.find('.') == std::string::npos ? suffix_fit::likely : suffix_fit::good;
  if (owned_part(name) != owned_part(wanted) || wanted.find('.') == std::string::npos)
    return suffix_fit::none;
  return last_labels_suffice(name) ? suffix_fit::good : suffix_fit::likely;
}

std::vector<std::string> fitting_suffixes(std::string_view common_name) {
  const auto name = normal_suffix(common_name);
  if (!is_host_name(name))
    return {};
  const auto owned = std::string(owned_part(name));
  std::vector<std::string> out;
  const auto parent = std::string(parent_of(name));
  // "com" is nobody's: a name of two labels is its own domain.
  if (name != owned && parent != owned)
    out.push_back(parent);
  out.push_back(owned);
  out.push_back("*." + owned);
  return out;
}

} // namespace outband::provisioning
