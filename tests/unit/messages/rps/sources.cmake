list(APPEND UNIT_MESSAGES_SOURCES
  rps/claim_test.cpp
  rps/client_frame_test.cpp
  rps/command_test.cpp
  rps/server_frame_test.cpp)
