outband_fuzz(rps_frame rps_frame.cpp)

# The tunnel's TLS session is in gateway/ and needs nothing of it.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/view/gateway)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/gateway ${CMAKE_BINARY_DIR}/view/gateway/gateway SYMBOLIC)
outband_fuzz(rps_tunnel rps_tunnel.cpp ${PROJECT_SOURCE_DIR}/gateway/activation/tls_session.cpp)
target_include_directories(fuzz_rps_tunnel PRIVATE ${CMAKE_BINARY_DIR}/view/gateway)
target_link_libraries(fuzz_rps_tunnel PRIVATE OpenSSL::SSL)
