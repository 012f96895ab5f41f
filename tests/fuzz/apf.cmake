outband_fuzz(apf_decoder apf_decoder.cpp)
outband_fuzz(apf_tunnel apf_tunnel.cpp)
