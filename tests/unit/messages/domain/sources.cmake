list(APPEND UNIT_MESSAGES_SOURCES
  domain/documents_test.cpp
  domain/ids_test.cpp
  domain/power_test.cpp
  domain/provisioning_test.cpp
  domain/roles_test.cpp
  domain/text_test.cpp
  domain/time_test.cpp)
