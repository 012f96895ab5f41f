list(APPEND GATEWAY_SOURCES
  activation/counters.cpp
  activation/routes.cpp
  activation/session.cpp
  activation/session_tls.cpp
  activation/tls_session.cpp
  activation/trust.cpp
  activation/wire.cpp)
