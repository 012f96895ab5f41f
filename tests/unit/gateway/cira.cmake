# Tests of gateway/net, gateway/cira and gateway/amt that need no socket.
list(APPEND UNIT_GATEWAY_SOURCES
  amt_client_test.cpp
  certificates_test.cpp
  direct_test.cpp
  gate_test.cpp
  http_exchange_test.cpp
  timer_wheel_test.cpp
  turns_test.cpp)
