#include "gateway/rest/exposition.hpp"

#include <cstdio>

namespace outband::rest {

namespace {

std::string real(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", v);
  return text;
}

} // namespace

exposition& exposition::counter(std::string_view name, std::string_view help) {
  return family("counter", name, help);
}
exposition& exposition::gauge(std::string_view name, std::string_view help) {
  return family("gauge", name, help);
}
exposition& exposition::histogram(std::string_view name, std::string_view help) {
  return family("histogram", name, help);
}

exposition& exposition::family(std::string_view kind, std::string_view name,
                               std::string_view help) {
  name_ = "outband_";
  name_ += name;
  out_.append("# HELP ").append(name_).append(" ").append(help);
  out_.append("\n# TYPE ").append(name_).append(" ").append(kind).append("\n");
  return *this;
}

void exposition::sample(std::string_view suffix, metric_labels labels, std::string_view bound,
                        std::string_view value) {
  out_.append(name_).append(suffix);
  char before = '{';
  const auto put = [&](std::string_view name, std::string_view text) {
    out_ += before;
    before = ',';
    out_.append(name).append("=\"");
    for (char c : text) {
      if (c == '\\' || c == '"')
        out_ += '\\';
      if (c == '\n')
        out_ += "\\n";
      else
        out_ += c;
    }
    out_ += '"';
  };
  for (const auto& l : labels)
    put(l.name, l.value);
  if (!bound.empty())
    put("le", bound);
  if (before == ',')
    out_ += '}';
  out_.append(" ").append(value).append("\n");
}

exposition& exposition::is(std::uint64_t value, metric_labels labels) {
  sample({}, labels, {}, std::to_string(value));
  return *this;
}

exposition& exposition::is_real(double value, metric_labels labels) {
  sample({}, labels, {}, real(value));
  return *this;
}

exposition& exposition::is(const latency::reading& value, metric_labels labels) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < latency::bounds.size(); ++i) {
    sum += value.counts[i];
    sample("_bucket", labels, real(latency::bounds[i]), std::to_string(sum));
  }
  const auto all = std::to_string(value.total());
  sample("_bucket", labels, "+Inf", all);
  sample("_sum", labels, {}, real(value.sum));
  sample("_count", labels, {}, all);
  return *this;
}

} // namespace outband::rest
