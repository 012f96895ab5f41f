outband_fuzz(wsman_response wsman_response.cpp)
outband_fuzz(wsman_alert wsman_alert.cpp)
outband_fuzz(wsman_request wsman_request.cpp)
outband_fuzz(wsman_operation wsman_operation.cpp)
