list(APPEND MESSAGES_SOURCES domain/amt.cpp domain/audit.cpp domain/documents.cpp domain/ids.cpp domain/power.cpp domain/provisioning.cpp domain/removal.cpp
  domain/result.cpp domain/roles.cpp domain/secret_text.cpp domain/text.cpp domain/time.cpp)
