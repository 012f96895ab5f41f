outband_fuzz(pthi_message pthi_message.cpp)
