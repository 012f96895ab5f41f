# Beast costs seconds and hundreds of MiB a file: http_session.cpp and websocket.cpp only.
list(APPEND GATEWAY_SOURCES
  http/http_session.cpp
  http/mqtt_proxy.cpp
  http/respond.cpp
  http/server.cpp
  http/websocket.cpp)
