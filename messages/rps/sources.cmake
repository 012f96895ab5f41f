list(APPEND MESSAGES_SOURCES
  rps/claim.cpp
  rps/client_frame.cpp
  rps/command.cpp
  rps/server_frame.cpp)
