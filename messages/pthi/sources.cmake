list(APPEND MESSAGES_SOURCES
  pthi/clients.cpp
  pthi/requests.cpp
  pthi/responses.cpp
  pthi/sku.cpp
  pthi/watchdog.cpp)
