outband_fuzz(rest_target rest_target.cpp)
outband_fuzz(rest_body rest_body.cpp)
outband_fuzz(rest_admin rest_admin.cpp)
