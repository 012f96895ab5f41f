#include "actors/store/migrations.hpp"

#include "actors/store/migrations/0001_initial.hpp"
#include "actors/store/migrations/0002_cluster.hpp"
#include "actors/store/migrations/0003_direct.hpp"
#include "actors/store/migrations/0004_audit.hpp"
#include "actors/store/migrations/0005_provisioning.hpp"
#include "actors/store/migrations/0006_removal.hpp"
#include "actors/store/migrations/0007_ieee8021x.hpp"
#include "actors/store/migrations/0008_hostname.hpp"
#include "actors/store/pipeline.hpp"
#include "messages/domain/text.hpp"

#include <openssl/sha.h>

#include <algorithm>

namespace outband::store {

namespace {

// Any number, the same in every program that migrates: "outband" in ASCII.
constexpr const char* advisory_lock = "31371829464985188";

struct finish {
  void operator()(PGconn* c) const { PQfinish(c); }
};
using connection = std::unique_ptr<PGconn, finish>;

std::string sha256(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return to_hex(digest, sizeof digest);
}

std::string trimmed(const char* text) {
  std::string out(text ? text : "");
  while (!out.empty() && (out.back() == '\n' || out.back() == ' '))
    out.pop_back();
  return out;
}

result<connection> open(const std::string& dsn, std::chrono::seconds patience) {
  // The session's own limit stands for the wait for the lock, and is far above any migration.
  auto parameters = connection_parameters(dsn, "outbandd migrate", true, patience);
  if (!parameters)
    return parameters.error();
  std::vector<const char*> keys{"connect_timeout"}, values{"10"};
  for (const auto& [key, value] : *parameters) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  connection c(PQconnectdbParams(keys.data(), values.data(), 0));
  if (!c)
    return fail(problem::store_unavailable, "out of memory");
  if (PQstatus(c.get()) != CONNECTION_OK)
    return fail(problem::store_unavailable, trimmed(PQerrorMessage(c.get())));
  PQsetNoticeProcessor(
      c.get(), [](void*, const char*) {}, nullptr);
  return c;
}

result<rows> run(connection& c, const std::string& sql, const params& with = {}) {
  std::vector<const char*> values;
  for (const auto& i : with.items())
    values.push_back(i.null ? nullptr : i.value.c_str());
  // Without parameters: the simple protocol, which takes several statements at once.
  rows r(values.empty() ? PQexec(c.get(), sql.c_str())
                        : PQexecParams(c.get(), sql.c_str(), static_cast<int>(values.size()),
                                       nullptr, values.data(), nullptr, nullptr, 0));
  auto s = PQresultStatus(r.raw());
  if (s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK || s == PGRES_EMPTY_QUERY)
    return r;
  return fail(problem::store_unavailable, trimmed(PQerrorMessage(c.get())));
}

failure not_applied(const migration& m, const failure& why) {
  auto out = why;
  out.detail = "schema version " + std::to_string(m.version) + " (" + std::string(m.name) +
               ") could not be applied and was rolled back: " + why.detail;
  return out;
}

/// The version the database is at, after comparing what was applied with what we know.
result<int> check_applied(connection& c, const std::vector<migration>& known) {
  auto applied = run(c, "select version, checksum from schema_version order by version");
  if (!applied)
    return applied.error();
  int at = 0;
  for (int i = 0; i < applied->size(); ++i) {
    auto version = static_cast<int>(applied->number(i, 0));
    at = std::max(at, version);
    auto found = std::find_if(known.begin(), known.end(),
                              [&](const migration& m) { return m.version == version; });
    if (found != known.end() && sha256(found->sql) != applied->view(i, 1))
      return fail(problem::unsupported,
                  "schema version " + std::to_string(version) +
                      " in the database is not the one of this program: they are not of one line "
                      "of releases; use the program that made the database");
  }
  int newest = known.empty() ? 0 : known.back().version;
  if (at > newest)
    return fail(problem::unsupported,
                "the database has schema version " + std::to_string(at) +
                    ", but this program knows only up to " + std::to_string(newest) +
                    "; start the newer program, or restore the backup from before its upgrade");
  return at;
}

status apply(connection& c, const migration& m) {
  if (auto r = run(c, "begin"); !r)
    return not_applied(m, r.error());
  auto done = run(c, std::string(m.sql));
  if (done) {
    params p;
    p.number(std::int64_t{m.version}).text(std::string(m.name)).text(sha256(m.sql));
    done = run(c, "insert into schema_version (version, name, checksum) values ($1, $2, $3)", p);
  }
  if (done)
    done = run(c, "commit");
  if (done)
    return success();
  auto why = not_applied(m, done.error());
  if (auto undone = run(c, "rollback"); !undone)
    why.detail += "; the connection was lost as well";
  return why;
}

} // namespace

const std::vector<migration>& migrations() {
  static const std::vector<migration> all{
      {1, "initial", schema_0001},   {2, "cluster", schema_0002},      {3, "direct", schema_0003},
      {4, "audit", schema_0004},     {5, "provisioning", schema_0005}, {6, "removal", schema_0006},
      {7, "ieee8021x", schema_0007}, {8, "hostname", schema_0008}};
  return all;
}

result<migrated> migrate(const std::string& dsn, std::chrono::seconds patience,
                         const std::vector<migration>& known) {
  auto opened = open(dsn, patience);
  if (!opened)
    return opened.error();
  auto& c = *opened;
  // Held by the session: it is free again when this function returns, however it does.
  if (auto locked = run(c, "select pg_advisory_lock(" + std::string(advisory_lock) + ")"); !locked)
    return fail(problem::store_unavailable,
                "another node has been migrating the database for too long: " +
                    locked.error().detail);
  if (auto r = run(c, "set statement_timeout = 0; create table if not exists schema_version ("
                      "version int primary key, name text not null, checksum text not null, "
                      "applied_at timestamptz not null default now())");
      !r)
    return r.error();
  auto at = check_applied(c, known);
  if (!at)
    return at.error();
  migrated out{*at, *at};
  for (const auto& m : known) {
    if (m.version <= out.to)
      continue;
    if (auto done = apply(c, m); !done)
      return done.error();
    out.to = m.version;
  }
  return out;
}

} // namespace outband::store
