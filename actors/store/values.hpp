/// Parameters of a statement and rows of its answer.
///
/// Text parameters go as text, octets in binary form, lists as array literals; the SQL casts them
/// ($1::text[]). Internal to this folder. Context: pure.
#pragma once

#include "messages/domain/ids.hpp"

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::store {

class params {
public:
  struct item {
    std::string value;
    bool null = false;
    bool binary = false;
  };

  params& null();
  params& text(std::string value);
  params& text(std::optional<std::string> value); ///< nullopt: null
  params& number(std::int64_t value);
  params& number(std::uint64_t value) { return number(static_cast<std::int64_t>(value)); }
  params& flag(bool value);
  params& id(const uuid& value);
  params& octets(std::string value);
  /// The device's two key columns: tenant, guid.
  params& device(const device_ref& ref) { return text(ref.tenant).id(ref.device); }

  params& texts(const std::vector<std::string>& values);
  params& texts(const std::vector<std::optional<std::string>>& values);
  params& numbers(const std::vector<std::int64_t>& values);
  params& numbers(const std::vector<std::optional<std::int64_t>>& values);
  params& flags(const std::vector<bool>& values);
  params& ids(const std::vector<uuid>& values);
  params& octets_list(const std::vector<std::string>& values);

  const std::vector<item>& items() const { return items_; }
  /// A zero octet, which PostgreSQL's text cannot hold (and libpq would silently cut at).
  bool has_zero_in_text() const;

private:
  std::vector<item> items_;
};

/// `{"a","b\"c"}`
std::string array_literal(const std::vector<std::optional<std::string>>& values);
/// Elements of `{a,"b,c",NULL}`; null elements are left out. Only what the server sends.
std::vector<std::string> parse_array(std::string_view literal);

/// One result set. Columns are numbered from 0; reading outside gives empty values.
class rows {
public:
  rows() = default;
  explicit rows(PGresult* r) : result_(r) {}

  int size() const { return result_ ? PQntuples(result_.get()) : 0; }
  bool is_null(int row, int column) const;
  std::string_view view(int row, int column) const;
  std::string text(int row, int column) const { return std::string(view(row, column)); }
  std::optional<std::string> maybe_text(int row, int column) const;
  std::int64_t number(int row, int column) const;
  std::uint64_t count(int row, int column) const {
    return static_cast<std::uint64_t>(number(row, column));
  }
  bool flag(int row, int column) const { return view(row, column) == "t"; }
  uuid id(int row, int column) const;
  std::string octets(int row, int column) const; ///< bytea
  std::vector<std::string> texts(int row, int column) const;
  const PGresult* raw() const { return result_.get(); }

private:
  struct clear {
    void operator()(PGresult* r) const { PQclear(r); }
  };
  std::unique_ptr<PGresult, clear> result_;
};

} // namespace outband::store
