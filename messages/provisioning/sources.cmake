list(APPEND MESSAGES_SOURCES
  provisioning/certificate.cpp
  provisioning/certificate_check.cpp
  provisioning/domain_suffix.cpp
  provisioning/firmware_chain.cpp
  provisioning/firmware_policy.cpp
  provisioning/ieee8021x_check.cpp
  provisioning/nonce_signature.cpp
  provisioning/pfx.cpp
  provisioning/pfx_reader.cpp
  provisioning/profile_export.cpp
  provisioning/profile_yaml.cpp
  provisioning/tls_leaf.cpp
  provisioning/token_hash.cpp)
