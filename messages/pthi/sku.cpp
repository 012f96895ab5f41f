#include "messages/pthi/sku.hpp"

#include <array>
#include <charconv>

namespace outband::pthi {

namespace {

struct word {
  std::uint32_t bit;
  std::string_view text;
  unsigned before; ///< only for major versions below this
};
constexpr unsigned always = ~0U;
constexpr std::array<word, 10> words{{
    {0x02, "iQST", 7},
    {0x04, "ASF", 6},
    {sku_amt_pro, "AMT Pro", always},
    {sku_standard_manageability, "Intel Standard Manageability", always},
    {0x20, "TPM", 6},
    {0x100, "Home IT", 6},
    {0x400, "WOX", 6},
    {0x2000, "AT-p", always},
    {sku_corporate, "Corporate", always},
    {0x8000, "L3 Mgt Upgrade", 8},
}};

} // namespace

std::string features_of(std::string_view version, std::string_view sku) {
  std::uint32_t bits = 0;
  unsigned major = 0;
  const auto read = std::from_chars(sku.data(), sku.data() + sku.size(), bits);
  if (read.ec != std::errc{} || read.ptr != sku.data() + sku.size())
    return {};
  if (std::from_chars(version.data(), version.data() + version.size(), major).ec != std::errc{})
    return {};
  std::string text;
  for (const auto& w : words)
    if ((bits & w.bit) != 0 && major < w.before)
      text.append(text.empty() ? "" : " ").append(w.text);
  return text;
}

bool is_manageable(std::uint32_t sku) {
  return (sku & (sku_amt_pro | sku_standard_manageability)) != 0;
}

} // namespace outband::pthi
