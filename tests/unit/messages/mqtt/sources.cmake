list(APPEND UNIT_MESSAGES_SOURCES mqtt/connect_packet_test.cpp)
