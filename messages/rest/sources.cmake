list(APPEND MESSAGES_SOURCES
  rest/device_body.cpp
  rest/host.cpp
  rest/json.cpp
  rest/target.cpp)
