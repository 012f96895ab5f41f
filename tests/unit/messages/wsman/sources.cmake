list(APPEND UNIT_MESSAGES_SOURCES
  wsman/answers_test.cpp
  wsman/conversation_test.cpp
  wsman/envelope_test.cpp
  wsman/fixtures_test.cpp
  wsman/node_test.cpp)
