list(APPEND UNIT_MESSAGES_SOURCES
  bus/encoding_test.cpp
  bus/envelope_test.cpp
  bus/golden_test.cpp
  bus/hostile_test.cpp
  bus/legacy_test.cpp
  bus/platform_test.cpp
  bus/request_test.cpp
  bus/stored_test.cpp
  bus/topics_test.cpp
  bus/tree_test.cpp)
