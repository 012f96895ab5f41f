list(APPEND UNIT_MESSAGES_SOURCES
  provisioning/certificate_check_test.cpp
  provisioning/certificate_test.cpp
  provisioning/domain_suffix_test.cpp
  provisioning/firmware_chain_test.cpp
  provisioning/firmware_policy_test.cpp
  provisioning/ieee8021x_check_test.cpp
  provisioning/nonce_signature_test.cpp
  provisioning/pfx_test.cpp
  provisioning/profile_export_test.cpp
  provisioning/tls_leaf_test.cpp)
