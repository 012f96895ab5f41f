# outband_layer(NAME FOLDER folder SOURCES ... BELOW ... USES ...)
#
# One folder is one target. A target sees its own folder and those it links, through a view of
# symbolic links; the source root is on nobody's include path. So messages/ including
# "actors/..." does not compile. BELOW is what the headers mention, USES what only sources need.
function(outband_layer name)
  cmake_parse_arguments(L "" "FOLDER" "SOURCES;BELOW;USES" ${ARGN})
  if(NOT L_FOLDER)
    set(L_FOLDER ${name})
  endif()
  string(REGEX REPLACE "/.*" "" top ${L_FOLDER})
  set(view ${CMAKE_BINARY_DIR}/view/${top})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${top} ${view}/${top} SYMBOLIC)
  add_library(${name} STATIC ${L_SOURCES})
  target_include_directories(${name} PUBLIC ${view})
  target_link_libraries(${name} PUBLIC ${L_BELOW} PRIVATE outband_warnings ${L_USES})
endfunction()

# outband_program(NAME FOLDER folder SOURCES ... USES ...): the same for an executable.
function(outband_program name)
  cmake_parse_arguments(P "" "FOLDER" "SOURCES;USES" ${ARGN})
  string(REGEX REPLACE "/.*" "" top ${P_FOLDER})
  set(view ${CMAKE_BINARY_DIR}/view/${top})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${top} ${view}/${top} SYMBOLIC)
  add_executable(${name} ${P_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  target_include_directories(${name} PRIVATE ${view})
  target_link_libraries(${name} PRIVATE outband_warnings ${P_USES})
endfunction()
