list(APPEND UNIT_MESSAGES_SOURCES
  pthi/codec_test.cpp
  pthi/hostile_test.cpp
  pthi/watchdog_test.cpp)
