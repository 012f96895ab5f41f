list(APPEND MESSAGES_SOURCES
  rest/json.cpp
  rest/target.cpp)
