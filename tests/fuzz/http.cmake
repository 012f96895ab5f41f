outband_fuzz(digest_header digest_header.cpp)
outband_fuzz(http_request http_request.cpp)
outband_fuzz(http_response http_response.cpp)
