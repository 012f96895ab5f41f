# Tests of gateway/http, gateway/auth, gateway/rest and gateway/config that need no socket.
list(APPEND UNIT_GATEWAY_SOURCES
  auth/auth_test.cpp
  config/config_test.cpp
  http/respond_test.cpp
  metrics_test.cpp
  rest/accounts_test.cpp
  rest/admin_domains_test.cpp
  rest/admin_networks_test.cpp
  rest/admin_profiles_test.cpp
  rest/admin_tokens_test.cpp
  rest/audit_test.cpp
  rest/connection_test.cpp
  rest/compatibility_test.cpp
  rest/devices_test.cpp
  rest/exposition_test.cpp
  rest/hosts_test.cpp
  rest/asyncapi_test.cpp
  rest/managers_test.cpp
  rest/openapi_test.cpp
  rest/power_test.cpp
  rest/amt_routes_test.cpp
  rest/prefixes_test.cpp
  rest/removals_test.cpp
  rest/routes_test.cpp
  rest/sessions_test.cpp
  rest/site.cpp
  rest/system_test.cpp
  rest/tunnels_test.cpp
  ${PROJECT_SOURCE_DIR}/gateway/main/metrics.cpp
  ${PROJECT_SOURCE_DIR}/gateway/main/own_process.cpp)
set_source_files_properties(metrics_test.cpp rest/compatibility_test.cpp PROPERTIES
  COMPILE_DEFINITIONS OUTBAND_SOURCES="${PROJECT_SOURCE_DIR}")
