list(APPEND UNIT_MESSAGES_SOURCES
  http/digest_test.cpp
  http/over_apf_test.cpp
  http/request_test.cpp
  http/response_test.cpp)
