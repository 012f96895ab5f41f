# Parsers that face a network and are not in messages/: pure files of layers that this preset does
# not build, taken one by one.
outband_layer(fuzzed_policy FOLDER bus
  SOURCES ${PROJECT_SOURCE_DIR}/bus/broker-plugin/policy.cpp BELOW messages)
outband_fuzz(broker_policy broker_policy.cpp)
target_link_libraries(fuzz_broker_policy PRIVATE fuzzed_policy)

outband_layer(fuzzed_ports FOLDER actors
  SOURCES ${PROJECT_SOURCE_DIR}/actors/ports/secrets.cpp BELOW messages USES OpenSSL::Crypto)
target_include_directories(fuzzed_ports PUBLIC ${CMAKE_BINARY_DIR}/view/bus) # headers of ports
outband_layer(fuzzed_exchange FOLDER gateway
  SOURCES ${PROJECT_SOURCE_DIR}/gateway/amt/http_exchange.cpp BELOW fuzzed_ports)
outband_fuzz(amt_exchange amt_exchange.cpp)
target_link_libraries(fuzz_amt_exchange PRIVATE fuzzed_exchange)
