/// A private PostgreSQL cluster on a free loopback port, killed and started again at will.
///
/// One per test binary: making a cluster takes seconds, a database in it a fraction of one. Must be
/// made on a thread that outlives it (process.hpp). Run by root, the server runs as user postgres.
#pragma once

#include "tests/support/process.hpp"
#include "tests/support/tempdir.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace outband::test {

class postgres {
public:
  /// `lasting`: commits reach the disk before they are acknowledged, as in production. Without it
  /// everything is faster, and a killed server (not a killed machine) still loses nothing that a
  /// synchronous commit acknowledged.
  explicit postgres(bool lasting = false);
  ~postgres();
  postgres(const postgres&) = delete;
  postgres& operator=(const postgres&) = delete;

  /// libpq's connection string.
  std::string dsn(const std::string& database) const;
  /// A new, empty database; its name.
  std::string create_database();
  /// Runs statements as superuser and returns what they print, unaligned, without headers; throws
  /// with the server's words when one fails.
  std::string sql(const std::string& database, const std::string& statements) const;

  void start();
  bool running() const { return server_ && server_->running(); }
  /// An orderly shutdown that ends every session.
  void stop();
  /// kill -9 of the server and all its children, as a power cut ends them.
  void kill();
  /// Every process of the server stands still, its sockets stay open; until resume().
  void pause();
  void resume();
  /// Of the present run.
  std::string log() const { return server_->output(); }

private:
  void signal_all(int number);

  tempdir folder_;
  std::string programs_; ///< folder of initdb, postgres
  std::uint16_t port_;
  bool lasting_;
  int databases_ = 0;
  std::unique_ptr<process> server_;
};

} // namespace outband::test
