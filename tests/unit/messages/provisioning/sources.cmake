list(APPEND UNIT_MESSAGES_SOURCES
  provisioning/certificate_test.cpp
  provisioning/pfx_test.cpp)
