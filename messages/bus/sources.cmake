list(APPEND MESSAGES_SOURCES
  bus/bodies.cpp
  bus/encoding.cpp
  bus/envelope.cpp
  bus/framing.cpp
  bus/internal_bodies.cpp
  bus/json.cpp
  bus/json_text.cpp
  bus/legacy.cpp
  bus/msgpack.cpp
  bus/read.cpp
  bus/stored.cpp
  bus/topics.cpp
  bus/tree_builder.cpp
  bus/value.cpp
  bus/write.cpp)
