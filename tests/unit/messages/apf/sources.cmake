list(APPEND UNIT_MESSAGES_SOURCES
  apf/channels_test.cpp
  apf/codec_test.cpp
  apf/handshake_test.cpp)
