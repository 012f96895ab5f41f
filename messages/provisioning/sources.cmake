list(APPEND MESSAGES_SOURCES
  provisioning/certificate.cpp
  provisioning/pfx.cpp
  provisioning/pfx_reader.cpp)
