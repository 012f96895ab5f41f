#include "messages/amt/peer_texts.hpp"

namespace outband::amt {

namespace {

struct row {
  peer_step step;
  std::string_view question;
  std::string_view text;
};

using s = peer_step;

constexpr row rows[] = {
    {s::clear, "AMT_EthernetPortSettings Pull", "Failed to pull ethernet port settings"},
    {s::clear, "IPS_IEEE8021xSettings Get", "Failed to get 8021x profile"},
    {s::clear, "IPS_IEEE8021xSettings Put", "Failed to disable 8021x profile"},
    {s::clear, "CIM_WiFiEndpointSettings Enumerate",
     "Failed to get enumeration number for wifi endpoint settings"},
    {s::clear, "CIM_WiFiEndpointSettings Pull", "Failed to pull wifi endpoint settings"},
    {s::clear, "CIM_WiFiEndpointSettings Delete", "Failed to delete wifi endpoint settings"},
    {s::clear, "IPS_HTTPProxyAccessPoint Enumerate", "Failed to enumerate HTTP Proxy Access Point"},
    {s::clear, "IPS_HTTPProxyAccessPoint Pull", "Failed to pull HTTP Proxy Access Point"},
    {s::clear, "IPS_HTTPProxyAccessPoint Delete", "Failed to delete HTTP Proxy Access Point"},
    {s::clear, "AMT_ManagementPresenceRemoteSAP Enumerate",
     "Failed to enumerate Management Presence Remote SAP"},
    {s::clear, "AMT_ManagementPresenceRemoteSAP Pull",
     "Failed to Pull Management Presence Remote SAP"},
    {s::clear, "AMT_ManagementPresenceRemoteSAP Delete",
     "Failed to delete Management Presence Remote SAP"},
    {s::clear, "AMT_TLSSettingData Enumerate", "Failed to enumerate TLS Setting Data"},
    {s::clear, "AMT_TLSSettingData Pull", "Failed to pull TLS Setting Data"},
    {s::clear, "AMT_SetupAndConfigurationService CommitChanges",
     "Failed at setup and configuration service commit changes"},
    {s::clear, "AMT_TLSCredentialContext Enumerate", "Failed to enumerate TLS Credential context"},
    {s::clear, "AMT_TLSCredentialContext Pull", "Failed to pull TLS Credential context"},
    {s::clear, "AMT_PublicPrivateKeyPair Enumerate", "Failed to enumerate public private key pair"},
    {s::clear, "AMT_PublicPrivateKeyPair Pull", "Failed to pull public private key pair"},
    {s::clear, "AMT_PublicKeyCertificate Enumerate", "Failed to enumerate public key certificate"},
    {s::clear, "AMT_PublicKeyCertificate Pull", "Failed to pull public key certificate"},
    {s::clear, "AMT_EnvironmentDetectionSettingData Get",
     "Failed to get environment detection settings"},
    {s::clear, "AMT_EnvironmentDetectionSettingData Put",
     "Failed to put environment detection settings"},

    {s::network, "AMT_GeneralSettings Get", "Failed to update amt general settings on device"},
    {s::network, "AMT_GeneralSettings Put", "Failed to update amt general settings on device"},
    {s::network, "AMT_EthernetPortSettings Enumerate",
     "Failed to get enumeration number to ethernet port settings"},
    {s::network, "AMT_EthernetPortSettings Pull", "Failed to pull ethernet port settings"},

    {s::wired, "AMT_EthernetPortSettings Enumerate",
     "Failed to get enumeration number to ethernet port settings"},
    {s::wired, "AMT_EthernetPortSettings Pull", "Failed to pull ethernet port settings"},
    {s::wired, "AMT_EthernetPortSettings Put", "Failed to put to ethernet port settings"},
    {s::wired, "IPS_IEEE8021xSettings Get", "Failed to get 8021x wired profile"},
    {s::wired, "AMT_PublicKeyManagementService GenerateKeyPair",
     "Failed to generate key pair in 802.1x"},
    {s::wired, "AMT_PublicPrivateKeyPair Enumerate",
     "Failed to enumerate public private key pair in 802.1x"},
    {s::wired, "AMT_PublicPrivateKeyPair Pull", "Failed to pull public private key pair in 802.1x"},
    {s::wired, "AMT_PublicKeyManagementService AddCertificate",
     "Failed to add certificate in 802.1x"},
    {s::wired, "AMT_PublicKeyManagementService AddTrustedRootCertificate",
     "Failed to add radius server root certificate in 802.1x"},
    {s::wired, "IPS_IEEE8021xSettings Put", "Failed to put 802.1x profile"},
    {s::wired, "IPS_IEEE8021xSettings SetCertificates", "Failed to set certificate in 802.1x"},

    {s::wireless, "AMT_EthernetPortSettings Put",
     "Failed to put Max Retransmissions to ethernet port settings"},
    {s::wireless, "AMT_WiFiPortConfigurationService Get",
     "Failed to get WiFi Port Configuration Service"},
    {s::wireless, "AMT_BootCapabilities Get", "Failed to get AMT Boot Capabilities"},
    {s::wireless, "AMT_WiFiPortConfigurationService Put",
     "Failed to put WiFi Port Configuration Service"},
    {s::wireless, "CIM_WiFiPort RequestStateChange", "Failed to update state change for wifi port"},
    {s::wireless, "AMT_PublicKeyManagementService AddCertificate",
     "Failed to add certificate in 802.1x"},
    {s::wireless, "AMT_PublicKeyManagementService AddTrustedRootCertificate",
     "Failed to add radius server root certificate in 802.1x"},

    {s::features, "AMT_RedirectionService Get", "Failed to get AMT redirection service"},
    {s::features, "IPS_OptInService Get", "Failed to get ips opt in service"},
    {s::features, "CIM_KVMRedirectionSAP Get", "Failed to get cim kvm redirection sap"},
    {s::features, "AMT_RedirectionService RequestStateChange", "Failed to set redirection service"},
    {s::features, "CIM_KVMRedirectionSAP RequestStateChange", "Failed to set kvm redirection sap"},
    {s::features, "AMT_RedirectionService Put", "Failed to put redirection service"},
    {s::features, "IPS_OptInService Put", "Failed to put ips opt in service"},

    {s::tls, "AMT_PublicKeyCertificate Enumerate", "Failed to enumerate public key certificates"},
    {s::tls, "AMT_PublicKeyCertificate Pull", "Failed to pull public key certificates"},
    {s::tls, "AMT_PublicKeyManagementService AddTrustedRootCertificate",
     "Failed to add trusted root certificates"},
    {s::tls, "AMT_PublicKeyManagementService GenerateKeyPair", "Failed to generate key pair"},
    {s::tls, "AMT_PublicPrivateKeyPair Enumerate", "Failed to enumerate public private key pair"},
    {s::tls, "AMT_PublicPrivateKeyPair Pull", "Failed to pull public private key pair"},
    {s::tls, "AMT_PublicKeyManagementService GeneratePKCS10RequestEx",
     "Failed to have AMT sign CSR"},
    {s::tls, "AMT_PublicKeyManagementService AddCertificate", "Failed to add certificate"},
    {s::tls, "AMT_TLSCredentialContext Enumerate", "Failed to enumerate TLS credential context"},
    {s::tls, "AMT_TLSCredentialContext Pull", "Failed to pull TLS credential context"},
    {s::tls, "AMT_TLSCredentialContext Put", "Failed to put TLS credential context"},
    {s::tls, "AMT_TLSCredentialContext Create", "Failed to create TLS credential context"},
    {s::tls, "AMT_TLSSettingData Enumerate", "Failed to enumerate TLS data"},
    {s::tls, "AMT_TLSSettingData Pull", "Failed to pull TLS data"},
    {s::tls, "AMT_TLSSettingData Put", "Failed to update remote TLS data"},
    {s::tls, "AMT_SetupAndConfigurationService CommitChanges", "Failed to commit changes"},

    {s::cira, "AMT_PublicKeyManagementService AddTrustedRootCertificate",
     "Failed to add trusted root certificate"},
    {s::cira, "AMT_RemoteAccessService AddMpServer", "Failed to add mps"},
    {s::cira, "AMT_ManagementPresenceRemoteSAP Enumerate",
     "Failed to enumerate Management Presence Remote SAP"},
    {s::cira, "AMT_ManagementPresenceRemoteSAP Pull",
     "Failed to Pull Management Presence Remote SAP"},
    {s::cira, "AMT_ManagementPresenceRemoteSAP Delete",
     "Failed to delete Management Presence Remote SAP"},
    {s::cira, "AMT_RemoteAccessService AddRemoteAccessPolicyRule",
     "Failed to add remote policy access rule"},
    {s::cira, "AMT_RemoteAccessPolicyAppliesToMPS Enumerate",
     "Failed to enumerate remote access policy rule"},
    {s::cira, "AMT_RemoteAccessPolicyAppliesToMPS Pull",
     "Failed to pull AMT_RemoteAccessPolicyAppliesToMPS"},
    {s::cira, "AMT_RemoteAccessPolicyAppliesToMPS Put",
     "Failed to put AMT_RemoteAccessPolicyAppliesToMPS"},
    {s::cira, "AMT_UserInitiatedConnectionService RequestStateChange",
     "Failed to set user initiated connection service"},
    // Sic: RPS's states for environment detection were copied and their texts were not changed.
    {s::cira, "AMT_EnvironmentDetectionSettingData Get",
     "Failed to get user initiated connection service"},
    {s::cira, "AMT_EnvironmentDetectionSettingData Put",
     "Failed to set user initiated connection service"},

    {s::time, "AMT_TimeSynchronizationService GetLowAccuracyTimeSynch",
     "Failed to GET_LOW_ACCURACY_TIME_SYNC"},
    {s::time, "AMT_TimeSynchronizationService SetHighAccuracyTimeSynch",
     "Failed to SET_HIGH_ACCURACY_TIME_SYNCH"},
};

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& n : names)
    out += (out.empty() ? "" : ", ") + n;
  return out;
}

} // namespace

std::string peer_failure(peer_step step, std::string_view last_question) {
  for (const auto& r : rows)
    if (r.step == step && r.question == last_question)
      return std::string(r.text);
  return last_question.empty() ? "Failed" : "Failed at " + std::string(last_question);
}

std::string peer_counts(const std::vector<std::string>& added,
                        const std::vector<std::string>& failed, std::string_view label) {
  if (failed.empty())
    return {};
  const auto why = "Failed to add " + joined(failed);
  return added.empty() ? why : "Added " + joined(added) + " " + std::string(label) + ". " + why;
}

} // namespace outband::amt
