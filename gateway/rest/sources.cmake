list(APPEND GATEWAY_SOURCES
  rest/account_routes.cpp
  rest/admin_domain_routes.cpp
  rest/admin_kind.cpp
  rest/admin_profile_routes.cpp
  rest/admin_routes.cpp
  rest/admin_token_routes.cpp
  rest/amt_routes.cpp
  rest/api.cpp
  rest/audit_routes.cpp
  rest/call.cpp
  rest/device_link_routes.cpp
  rest/device_routes.cpp
  rest/device_write_routes.cpp
  rest/document_routes.cpp
  rest/documents.cpp
  rest/bus_document.cpp
  rest/documents_page.cpp
  rest/exposition.cpp
  rest/host_find.cpp
  rest/host_removal_routes.cpp rest/host_routes.cpp
  rest/metrics.cpp
  rest/page.cpp
  rest/prefixes.cpp
  rest/power_routes.cpp
  rest/request_routes.cpp
  rest/router.cpp
  rest/session_routes.cpp
  rest/system_routes.cpp
  rest/tenant_directory.cpp)

# documents/*.json in the program: one table of names and texts.
set(OUTBAND_DOCUMENTS)
foreach(name operations routes topics)
  set(file ${CMAKE_CURRENT_LIST_DIR}/documents/${name}.json)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  string(APPEND OUTBAND_DOCUMENTS "    {\"${name}\", R\"__(${text})__\"},\n")
endforeach()
configure_file(${CMAKE_CURRENT_LIST_DIR}/documents/texts.cpp.in
               ${CMAKE_CURRENT_BINARY_DIR}/document_texts.cpp @ONLY)
list(APPEND GATEWAY_SOURCES ${CMAKE_CURRENT_BINARY_DIR}/document_texts.cpp)
