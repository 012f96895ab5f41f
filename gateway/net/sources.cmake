list(APPEND GATEWAY_SOURCES
  net/io_pool.cpp
  net/timer_wheel.cpp
  net/timers.cpp)
