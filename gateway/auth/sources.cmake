list(APPEND GATEWAY_SOURCES
  auth/auth.cpp
  auth/failures.cpp
  auth/files.cpp
  auth/first_admin.cpp
  auth/identity.cpp
  auth/password.cpp
  auth/worker.cpp)
