list(APPEND MESSAGES_SOURCES mqtt/connect_packet.cpp)
