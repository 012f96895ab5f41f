list(APPEND MESSAGES_SOURCES
  apf/channels.cpp
  apf/decoder.cpp
  apf/encoder.cpp
  apf/handshake.cpp
  apf/messages.cpp)
