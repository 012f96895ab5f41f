list(APPEND UNIT_MESSAGES_SOURCES
  rest/audit_test.cpp rest/connection_body_test.cpp
  rest/device_body_test.cpp
  rest/host_test.cpp
  rest/json_test.cpp
  rest/target_test.cpp)
