# Tests of gateway/activation that need no socket.
list(APPEND UNIT_GATEWAY_SOURCES
  activation/firmware.cpp
  activation/session_test.cpp
  activation/session_tls_test.cpp
  activation/stage.cpp
  activation/tls_session_test.cpp)
