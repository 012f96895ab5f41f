list(APPEND MESSAGES_SOURCES
  rest/admin_check.cpp
  rest/admin_cira.cpp
  rest/admin_domain.cpp
  rest/admin_network.cpp
  rest/admin_profile.cpp
  rest/audit.cpp
  rest/connection_body.cpp
  rest/device_body.cpp
  rest/host.cpp
  rest/json.cpp
  rest/target.cpp)
