// Instances as AMT devices tell them (values as in go-wsman-messages' captured responses).
#pragma once

#include "tests/unit/messages/amt/firmware.hpp"

namespace outband::amt::test {

inline std::string p(const std::string& name, const std::string& value) {
  return "<" + name + ">" + value + "</" + name + ">";
}

inline std::string redirection_service(const std::string& enabled = "32771",
                                       const std::string& listener = "true") {
  return p("CreationClassName", "AMT_RedirectionService") +
         p("ElementName", "Intel(r) AMT Redirection Service") + p("EnabledState", enabled) +
         p("ListenerEnabled", listener) + p("Name", "Intel(r) AMT Redirection Service") +
         p("SystemCreationClassName", "CIM_ComputerSystem") + p("SystemName", "Intel(r) AMT");
}

inline std::string opt_in_service(const std::string& required = "0", const std::string& state = "0",
                                  const std::string& modifiable = "1") {
  return p("CanModifyOptInPolicy", modifiable) + p("CreationClassName", "IPS_OptInService") +
         p("ElementName", "Intel(r) AMT OptIn Service") + p("Name", "Intel(r) AMT OptIn Service") +
         p("OptInCodeTimeout", "120") + p("OptInDisplayTimeout", "300") +
         p("OptInRequired", required) + p("OptInState", state) +
         p("SystemCreationClassName", "CIM_ComputerSystem") + p("SystemName", "Intel(r) AMT");
}

inline std::string kvm_sap(const std::string& enabled = "6") {
  return p("CreationClassName", "CIM_KVMRedirectionSAP") +
         p("ElementName", "KVM Redirection Service Access Point") + p("EnabledState", enabled) +
         p("KVMProtocol", "4") + p("Name", "KVM Redirection Service Access Point") +
         p("RequestedState", "2");
}

inline std::string boot_service(const std::string& enabled) {
  return p("CreationClassName", "CIM_BootService") + p("ElementName", "Intel(r) AMT Boot Service") +
         p("EnabledState", enabled) + p("Name", "Intel(r) AMT Boot Service") +
         p("OperationalStatus", "0") + p("RequestedState", "12");
}

inline std::string source_item(const std::string& id, const std::string& structured,
                               const std::string& rest = {}) {
  return item("CIM_BootSourceSetting", rest + p("ElementName", "Intel(r) AMT: Boot Source") +
                                           p("FailThroughSupported", "2") +
                                           p("InstanceID", "Intel(r) AMT: " + id) +
                                           p("StructuredBootString", structured));
}

inline const std::string pba_path = "\\EFI\\OEM\\pba.efi";
inline const std::string winre_path = "\\EFI\\Microsoft\\Boot\\bootmgfw.efi";

inline std::string plain_boot_sources() {
  return source_item("Force Hard-drive Boot", "CIM:Hard-Disk:1") +
         source_item("Force PXE Boot", "CIM:Network:1") +
         source_item("Force CD/DVD Boot", "CIM:CD/DVD:1");
}

inline std::string recovery_boot_sources() {
  return plain_boot_sources() +
         source_item("Force OCR UEFI HTTPS Boot", "CIM:Network:2", p("BIOSBootString", "HTTPS")) +
         source_item("Force OCR UEFI Boot Option 1", "CIM:Hard-Disk:2",
                     p("BIOSBootString", "WinRe") + p("BootString", winre_path)) +
         source_item("Force OCR UEFI Boot Option 2", "CIM:Hard-Disk:3",
                     p("BIOSBootString", "PBA") + p("BootString", pba_path));
}

inline std::string boot_capabilities(const std::string& rest = {}) {
  return p("BIOSPause", "false") + p("BIOSReflash", "true") + p("BIOSSetup", "true") +
         p("ElementName", "Intel(r) AMT: Boot Capabilities") + p("ForceCDorDVDBoot", "true") +
         p("ForceDiagnosticBoot", "false") + p("ForcePXEBoot", "true") + p("IDER", "true") +
         p("InstanceID", "Intel(r) AMT:BootCapabilities 0") + p("SOL", "true") + rest;
}

inline std::string recovery_boot_capabilities() {
  return boot_capabilities(p("ConfigurationDataReset", "true") + p("ForceUEFIHTTPSBoot", "true") +
                           p("ForceUEFIPBABoot", "true") + p("ForceWinREBoot", "true") +
                           p("PlatformErase", "67108933") + p("SecureErase", "true"));
}

inline std::string boot_setting_data(const std::string& use_ider = "false",
                                     const std::string& rpe = "true") {
  return p("BIOSLastStatus", "2") + p("BIOSLastStatus", "0") + p("BIOSPause", "false") +
         p("BIOSSetup", "false") + p("BootMediaIndex", "0") + p("BootguardStatus", "127") +
         p("ConfigurationDataReset", "false") +
         p("ElementName", "Intel(r) AMT Boot Configuration Settings") +
         p("EnforceSecureBoot", "false") + p("FirmwareVerbosity", "0") +
         p("ForcedProgressEvents", "false") + p("IDERBootDevice", "0") +
         p("InstanceID", "Intel(r) AMT:BootSettingData 0") + p("LockKeyboard", "false") +
         p("LockPowerButton", "false") + p("LockResetButton", "false") +
         p("LockSleepButton", "false") + p("OptionsCleared", "true") +
         p("OwningEntity", "Intel(r) AMT") + p("PlatformErase", "false") + p("RPEEnabled", rpe) +
         p("RSEPassword", "") + p("ReflashBIOS", "false") + p("SecureBootControlEnabled", "true") +
         p("SecureErase", "false") + p("UEFIHTTPSBootEnabled", "true") +
         p("UEFILocalPBABootEnabled", "true") + p("UefiBootNumberOfParams", "0") +
         p("UseIDER", use_ider) + p("UseSOL", "false") + p("UseSafeMode", "false") +
         p("UserPasswordBypass", "false") + p("WinREBootEnabled", "true");
}

} // namespace outband::amt::test
