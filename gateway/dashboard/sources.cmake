# No C++ here: the page is built by npm, see CMakeLists.txt.
add_subdirectory(${CMAKE_CURRENT_LIST_DIR} ${CMAKE_CURRENT_BINARY_DIR}/dashboard)
