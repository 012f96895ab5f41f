list(APPEND GATEWAY_SOURCES config/config.cpp config/keys.cpp)
