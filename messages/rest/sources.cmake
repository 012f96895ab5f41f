list(APPEND MESSAGES_SOURCES
  rest/audit.cpp
  rest/connection_body.cpp
  rest/device_body.cpp
  rest/host.cpp
  rest/json.cpp
  rest/target.cpp)
