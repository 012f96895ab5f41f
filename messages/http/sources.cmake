list(APPEND MESSAGES_SOURCES
  http/digest.cpp
  http/message.cpp
  http/parser.cpp
  http/reader.cpp
  http/writer.cpp)
