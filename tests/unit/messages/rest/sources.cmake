list(APPEND UNIT_MESSAGES_SOURCES
  rest/admin_check_test.cpp
  rest/audit_test.cpp rest/connection_body_test.cpp
  rest/device_body_test.cpp
  rest/host_test.cpp
  rest/json_test.cpp
  rest/target_test.cpp)
