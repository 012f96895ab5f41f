#include "messages/provisioning/domain_suffix.hpp"

#include <doctest/doctest.h>

namespace outband::provisioning {
namespace {

using names = std::vector<std::string>;

TEST_CASE("a machine's domain is looked up from its whole suffix down to two labels") {
  CHECK(suffix_candidates("a.b.Example.COM") ==
        names{"a.b.example.com", "b.example.com", "example.com"});
  CHECK(suffix_candidates("example.com") == names{"example.com"});
  CHECK(suffix_candidates("lan") == names{"lan"});
  CHECK(suffix_candidates(".example.com.") == names{"example.com"});
  CHECK(suffix_candidates("").empty());
  CHECK(suffix_candidates(".").empty());
  CHECK(suffix_candidates("...").empty());
  std::string deep = "example.com";
  for (int i = 0; i < 200; ++i)
    deep = "a." + deep;
  CHECK(suffix_candidates(deep).size() == 16);
}

TEST_CASE("a certificate's name fits the suffixes that firmware accepts") {
  struct row {
    const char* name;
    const char* suffix;
    suffix_fit fit;
  };
  using fit = suffix_fit;
  for (const auto& r : {
           row{"prov.example.com", "example.com", fit::good},
           row{"prov.example.com", "EXAMPLE.com.", fit::good},
           row{"prov.example.com", "prov.example.com", fit::good},
           row{"vpro.example.com", "berlin.example.com", fit::good},
           row{"prov.vpro.example.com", "example.com", fit::good},
           row{"*.example.com", "example.com", fit::good},
           row{"example.com", "example.com", fit::good},
           row{"example.com", "com", fit::likely},
           row{"server.lan", "lan", fit::likely},
           row{"prov.example.de", "example.de", fit::good},
           row{"prov.example.de", "berlin.example.de", fit::likely},
           row{"prov.example.co.uk", "example.co.uk", fit::good},
           row{"prov.example.co.uk", "other.co.uk", fit::none},
           row{"prov.example.com", "example.org", fit::none},
           row{"prov.example.com", "badexample.com", fit::none},
           row{"prov.example.com", "com", fit::none},
           row{"prov.example.com", "", fit::none},
           row{"prov.example.com", ".", fit::none},
           row{"", "example.com", fit::none},
           row{"Example Inc", "example.com", fit::none},
           row{"a..com", "a..com", fit::none},
       }) {
    CAPTURE(r.name);
    CAPTURE(r.suffix);
    CHECK(fits_suffix(r.name, r.suffix) == r.fit);
  }
}

TEST_CASE("which suffixes would fit is told") {
  CHECK(fitting_suffixes("prov.vpro.example.com") ==
        names{"vpro.example.com", "example.com", "*.example.com"});
  CHECK(fitting_suffixes("prov.example.com") == names{"example.com", "*.example.com"});
  CHECK(fitting_suffixes("example.com") == names{"example.com", "*.example.com"});
  CHECK(fitting_suffixes("prov.example.co.uk") == names{"example.co.uk", "*.example.co.uk"});
  CHECK(fitting_suffixes("Example Inc").empty());
  CHECK(fitting_suffixes("").empty());
  for (const auto& suffix : fitting_suffixes("prov.vpro.example.com"))
    if (suffix[0] != '*')
      CHECK(fits_suffix("prov.vpro.example.com", suffix) == suffix_fit::good);
}

} // namespace
} // namespace outband::provisioning
