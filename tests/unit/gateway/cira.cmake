# Tests of gateway/net, gateway/cira and gateway/amt that need no socket.
list(APPEND UNIT_GATEWAY_SOURCES
  certificates_test.cpp
  timer_wheel_test.cpp)
