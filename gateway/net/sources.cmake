list(APPEND GATEWAY_SOURCES
  net/certificates.cpp
  net/io_pool.cpp
  net/timer_wheel.cpp
  net/timers.cpp
  net/tls_context.cpp
  net/x509.cpp)
