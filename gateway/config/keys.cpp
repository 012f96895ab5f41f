#include "gateway/config/config.hpp"

namespace outband::config {

namespace {
constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
}

const std::vector<key_info>& keys() {
  using k = kind;
  static const std::vector<key_info> table = {
      {"node.name", k::text, "n1", "name of this node, [a-z0-9-], unique on the site"},
      {"roles",
       k::list,
       "controller,terminator,provisioner,api",
       "what this process does",
       0,
       0,
       {"controller", "terminator", "provisioner", "api"}},
      {"cluster.beat", k::duration, "5s", "how often this process says that it lives", 100, minute},
      {"cluster.lease", k::duration, "15s", "how long a controller is believed without a beat", 300,
       10 * minute},
      {"cluster.silent_after", k::duration, "20s", "without a beat a node counts as dead", 300,
       10 * minute},
      {"cluster.will_grace", k::duration, "2s", "to come back to the broker before that", 0,
       minute},
      {"cluster.links_grace", k::duration, "30s",
       "for machines of a dead terminator to call another before it is told", 0, 10 * minute},
      {"cluster.drain", k::duration, "20s",
       "on SIGTERM: tunnels are handed over to other terminators within this time", 0, 10 * minute},
      {"data_dir", k::text, "/var/lib/outband", "keys and certificates made at first start"},
      {"log.level",
       k::text,
       "info",
       "how much is logged",
       0,
       0,
       {"trace", "debug", "info", "warn", "error"}},
      {"log.json", k::flag, "false", "one JSON object a line instead of text"},
      {"threads.io", k::integer, "2", "threads for sockets", 1, 64},
      {"threads.actors", k::integer, "2", "threads for decisions", 1, 64},

      {"cira.bind", k::text, "0.0.0.0", "address to listen on for machines"},
      {"cira.port", k::integer, "4433", "port for machines; 0: any", 0, 65535},
      {"cira.common_name", k::text, "", "name machines connect to; empty: the host's name"},
      {"cira.cert_file", k::text, "", "PEM chain; empty: made in data_dir"},
      {"cira.key_file", k::text, "", "PEM key; empty: made in data_dir"},
      {"cira.ca_file", k::text, "", "PEM root that machines trust; empty: made in data_dir"},
      {"cira.legacy.enabled", k::flag, "false", "second listener with TLS 1.0 for AMT before 15"},
      {"cira.legacy.port", k::integer, "4434", "its port", 0, 65535},
      {"cira.keepalive", k::duration, "30s", "how often a machine gives a sign of life", 5 * second,
       hour},
      {"cira.late_after", k::duration, "45s", "silence after which a tunnel is late", second, hour},
      {"cira.down_after", k::duration, "90s", "silence after which a tunnel is closed", second,
       day},
      {"cira.max_tunnels", k::integer, "50000", "more connections are refused", 1, 1000000},
      {"cira.never_block", k::list, "",
       "numeric addresses of load balancers: failures of who comes by them block nobody"},

      {"direct.enabled", k::flag, "true", "machines may be connected to instead of calling home"},
      {"direct.allow_own", k::flag, "false",
       "also at loopback and this host's addresses: for simulators"},
      {"direct.max_devices", k::integer, "5000", "this process connects to no more", 1, 1000000},
      {"direct.max_connecting", k::integer, "32", "attempts at a time", 1, 10000},
      {"direct.late_after", k::duration, "45s", "silence after which a link is late", second, hour},
      {"direct.down_after", k::duration, "90s", "silence after which it is closed", second, day},
      {"direct.longest_pause", k::duration, "5m", "between attempts", second, day},

      {"https.bind", k::text, "0.0.0.0", "address to listen on for people and systems"},
      {"https.port", k::integer, "8443", "port for people and systems; 0: any", 0, 65535},
      {"https.tls", k::flag, "true", "false only behind a proxy that ends TLS"},
      {"https.cert_file", k::text, "", "PEM chain; empty: made in data_dir"},
      {"https.key_file", k::text, "", "PEM key; empty: made in data_dir"},
      {"https.names", k::list, "", "names for the certificate made in data_dir; empty: the host's"},
      {"https.allowed_origins", k::list, "*", "origins for CORS; '*': any, as MPS"},
      {"https.websocket_origins", k::list, "",
       "origins besides our own that may open /mqtt, e.g. https://ui.example"},
      {"https.page_dir", k::text, "/usr/share/outband/page", "files of the web page"},
      {"https.max_connections", k::integer, "4096", "more are closed at once", 1, 1000000},

      {"broker.host", k::text, "127.0.0.1", "MQTT 5 broker"},
      {"broker.port_people", k::integer, "8883", "its listener for tickets", 1, 65535},
      {"broker.port_machines", k::integer, "8884", "its listener for client certificates", 1,
       65535},
      {"broker.bind", k::list, "", "--write-broker-config: addresses to listen on; empty: all"},
      {"broker.names", k::list, "", "names in the broker's certificate; empty: the host's"},
      {"broker.plugin_file", k::text, "", "outband_broker_plugin.so; empty: next to outbandd"},
      {"broker.run_as", k::text, "mosquitto", "user the broker becomes when started as root"},
      {"broker.ca_file", k::text, "", "PEM root of the broker's certificate; empty: in data_dir"},
      {"broker.cert_file", k::text, "", "our PEM client certificate; empty: made in data_dir"},
      {"broker.key_file", k::text, "", "its PEM key; empty: made in data_dir"},

      {"bus.mirror_json", k::flag, "true", "publish CloudEvents JSON under oobx/v1 as well"},

      {"database.dsn", k::text, "dbname=outband", "PostgreSQL connection string", 0, 0, {}, true},

      {"auth.issuer", k::text, "outband", "`iss` of the tokens we make"},
      {"auth.token_lifetime", k::duration, "24h", "how long a sign-in lasts", minute, 30 * day},
      {"auth.bus_ticket_lifetime", k::duration, "15m", "how long a bus ticket lasts", 10 * second,
       day},
      {"auth.key_file", k::text, "", "PEM P-256 key that signs tokens; empty: made in data_dir"},
      {"auth.admin_name", k::text, "admin", "first account, made when there is none"},
      {"auth.admin_password",
       k::text,
       "",
       "its password; empty: random, written to data_dir",
       0,
       0,
       {},
       true},
      {"auth.default_tenant", k::text, "default", "tenant made when there is none"},

      {"secrets.key_file", k::text, "", "key of the secret store; empty: made in data_dir"},

      {"power.graceful_timeout", k::duration, "30s", "ORDERED: before force is used", second, hour},
      {"power.force_timeout", k::duration, "30s", "after force: before it counts as failed", second,
       hour},

      {"facts.at_connect", k::flag, "true",
       "features, hardware and logs of machines that arrive or boot are read unasked"},
      {"facts.calm", k::duration, "10s", "so long after an arrival or a boot", 0, hour},
      {"facts.rate", k::integer, "5", "machines a second whose facts are read", 1, 1000},

      {"limits.body", k::integer, "1048576", "octets of a request's body", 1024, 67108864},
      {"limits.bulk_body", k::integer, "16777216", "the same for POST /api/v1/devices", 1024,
       268435456},
      {"limits.login_failures", k::integer, "10", "failed sign-ins per address and name", 1, 1000},
      {"limits.login_window", k::duration, "5m", "within this time", second, day},
      {"limits.mqtt_per_user", k::integer, "16", "browser connections to the broker per user", 1,
       10000},
  };
  return table;
}

} // namespace outband::config
