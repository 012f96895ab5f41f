list(APPEND GATEWAY_SOURCES
  direct/address_policy.cpp
  direct/client_tls.cpp
  direct/dialer.cpp
  direct/machine.cpp
  direct/machine_link.cpp
  direct/proof.cpp
  direct/wire.cpp)
