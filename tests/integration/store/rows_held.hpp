#pragma once

#include "tests/integration/store/harness.hpp"
#include "tests/support/process.hpp"

namespace outband::test {

/// Somebody holds the rows of all devices, so that a write stops after it has the lease's lock.
class rows_held {
public:
  explicit rows_held(const stage& s)
      : s_(s), holder_({find_program("psql"), "-X", "-q", "-c",
                        "begin; select from device for update; select pg_sleep(3600)", s.dsn}) {
    REQUIRE(eventually([&] {
      return s_.sql("select count(*) from pg_stat_activity where query like '%pg_sleep(3600)%' "
                    "and wait_event = 'PgSleep'") == "1";
    }));
  }
  ~rows_held() { release(); }
  rows_held(const rows_held&) = delete;
  rows_held& operator=(const rows_held&) = delete;
  void release() {
    // The server does not notice that its client is gone while it sleeps.
    s_.sql("select pg_terminate_backend(pid) from pg_stat_activity "
           "where query like '%pg_sleep(3600)%' and pid <> pg_backend_pid()");
  }
  /// That many of our statements wait for a lock.
  bool waiting(const std::string& count) const {
    return eventually([&] {
      return s_.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and "
                    "application_name like 'outbandd%'") == count;
    });
  }

private:
  const stage& s_;
  process holder_;
};

} // namespace outband::test
