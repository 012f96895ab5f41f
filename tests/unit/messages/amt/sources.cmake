list(APPEND UNIT_MESSAGES_SOURCES
  amt/alarms_test.cpp
  amt/argument_test.cpp
  amt/base64_test.cpp
  amt/boot_test.cpp
  amt/captured_test.cpp
  amt/catalogue_test.cpp
  amt/consent_test.cpp
  amt/displays_test.cpp
  amt/erase_test.cpp
  amt/features_test.cpp
  amt/inventory_test.cpp
  amt/lifecycle_test.cpp
  amt/logs_test.cpp
  amt/pass_through_test.cpp
  amt/power_operations_test.cpp
  amt/power_test.cpp
  amt/talk_test.cpp)
