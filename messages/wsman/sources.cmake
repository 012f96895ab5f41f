list(APPEND MESSAGES_SOURCES
  wsman/answers.cpp
  wsman/envelope.cpp
  wsman/node.cpp
  wsman/operations.cpp
  wsman/readings.cpp
  wsman/steps.cpp)
