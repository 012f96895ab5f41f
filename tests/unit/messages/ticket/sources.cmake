list(APPEND UNIT_MESSAGES_SOURCES
  ticket/claims_test.cpp
  ticket/jwt_test.cpp
  ticket/redirection_test.cpp)
