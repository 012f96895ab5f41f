# Compiler settings and the packages of Debian 12 that more than one folder uses.
find_program(CCACHE_BIN ccache)
if(CCACHE_BIN)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_BIN})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_BIN})
endif()
find_program(MOLD_BIN mold)
if(MOLD_BIN AND NOT OUTBAND_SANITIZE)
  add_link_options(-fuse-ld=mold)
endif()

add_library(outband_warnings INTERFACE)
target_compile_options(outband_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 does not see which alternative of a variant is set, with optimisation or sanitizers on,
  # and result<T> is one. clang-tidy looks for the real thing.
  target_compile_options(outband_warnings INTERFACE -Wno-maybe-uninitialized)
endif()

if(OUTBAND_SANITIZE)
  add_compile_options(-fsanitize=${OUTBAND_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${OUTBAND_SANITIZE})
  if(OUTBAND_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan) # Asio's fences, which ThreadSanitizer does not follow
  endif()
  if(OUTBAND_SANITIZE MATCHES "undefined")
    # CAF 0.17 binds a reference to a null tuple when it spawns (init_fun_factory.hpp).
    add_compile_options(-fno-sanitize-recover=undefined -fno-sanitize=null,vptr)
  endif()
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(msgpack CONFIG REQUIRED) # target msgpackc-cxx
find_package(nlohmann_json 3.11 REQUIRED)
find_package(pugixml 1.13 REQUIRED)
if(NOT OUTBAND_FUZZ)
  find_package(CAF 0.17.6 REQUIRED COMPONENTS core)
  if(OUTBAND_SANITIZE MATCHES "thread")
    # Every program with actors tells ThreadSanitizer what libcaf_core synchronises.
    set_property(TARGET CAF::core APPEND PROPERTY
      INTERFACE_SOURCES ${CMAKE_CURRENT_LIST_DIR}/caf_under_tsan.cpp)
    set_property(TARGET CAF::core APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${CMAKE_DL_LIBS})
  endif()
  find_package(PahoMqttCpp 1.2 REQUIRED)
  find_package(Boost 1.74 REQUIRED)
  find_package(PostgreSQL 15 REQUIRED)
  find_package(spdlog 1.10 REQUIRED)
  find_package(CLI11 2.1 REQUIRED)
  find_package(yaml-cpp REQUIRED)
  find_package(CURL REQUIRED)
  find_package(doctest 2.4.9 REQUIRED)
endif()
