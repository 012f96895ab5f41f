list(APPEND MESSAGES_SOURCES
  ticket/base64url.cpp
  ticket/claims.cpp
  ticket/jwt.cpp
  ticket/redirection.cpp)
