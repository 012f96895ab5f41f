list(APPEND GATEWAY_SOURCES
  cira/acceptor.cpp
  cira/alert_channel.cpp
  cira/gate.cpp
  cira/greeting.cpp
  cira/lane.cpp
  cira/listener.cpp
  cira/registry.cpp
  cira/tunnel.cpp
  cira/tunnel_io.cpp)
