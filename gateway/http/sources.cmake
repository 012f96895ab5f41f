# Beast costs seconds and hundreds of MiB a file: server.cpp and websocket.cpp only.
list(APPEND GATEWAY_SOURCES
  http/mqtt_proxy.cpp
  http/respond.cpp
  http/server.cpp
  http/websocket.cpp)
