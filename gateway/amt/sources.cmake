list(APPEND GATEWAY_SOURCES
  amt/amt_client.cpp
  amt/call.cpp
  amt/http_exchange.cpp)
