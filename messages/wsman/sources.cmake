list(APPEND MESSAGES_SOURCES
  wsman/answers.cpp
  wsman/conversation.cpp
  wsman/envelope.cpp
  wsman/node.cpp
  wsman/readings.cpp
  wsman/talk.cpp)
