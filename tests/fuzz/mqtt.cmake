outband_fuzz(mqtt_connect mqtt_connect.cpp)
