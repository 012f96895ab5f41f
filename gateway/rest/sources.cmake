list(APPEND GATEWAY_SOURCES
  rest/account_routes.cpp
  rest/amt_routes.cpp
  rest/api.cpp
  rest/call.cpp
  rest/device_routes.cpp
  rest/device_write_routes.cpp
  rest/exposition.cpp
  rest/host_find.cpp
  rest/host_routes.cpp
  rest/metrics.cpp
  rest/page.cpp
  rest/power_routes.cpp
  rest/request_routes.cpp
  rest/router.cpp
  rest/session_routes.cpp
  rest/system_routes.cpp
  rest/tenant_directory.cpp)
