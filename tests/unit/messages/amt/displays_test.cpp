#include "messages/amt/displays.hpp"

#include "tests/unit/messages/amt/captured.hpp"

namespace outband::amt {
namespace {

using namespace test;

std::string four(const std::string& name, const std::vector<std::string>& values) {
  std::string out;
  for (const auto& v : values)
    out += p(name, v);
  return out;
}

std::string screens(const std::string& indices) {
  return item("IPS_ScreenSettingData",
              p("ElementName", "test") + p("InstanceID", "Intel(r) Screen Settings") +
                  four("IsActive", {"true", "true", "false", "false"}) + indices +
                  four("ResolutionX", {"1920", "1280", "0", "0"}) +
                  four("ResolutionY", {"1080", "720", "0", "0"}) +
                  four("UpperLeftX", {"0", "1920", "-1", "-1"}) +
                  four("UpperLeftY", {"0", "0", "-1", "-1"}));
}

std::string captured_indices() {
  return p("PrimaryIndex", "1") + p("SecondaryIndex", "2") + p("TertiaryIndex", "3") +
         p("QuadraryIndex", "4");
}

std::string kvm_settings(const std::string& screen, const std::string& password = {}) {
  return p("BackToBackFbMode", "false") + p("DefaultScreen", screen) +
         p("ElementName", "Intel(r) KVM Redirection Settings") + p("EnabledByMEBx", "true") +
         p("InstanceID", "Intel(r) KVM Redirection Settings") + p("Is5900PortEnabled", "false") +
         p("OptInPolicy", "true") + p("OptInPolicyTimeout", "300") + p("RFBPassword", password) +
         p("SessionTimeout", "3");
}

TEST_CASE("displays are told in MPS's shape") {
  firmware f;
  f.lists("IPS_ScreenSettingData", screens(captured_indices()))
      .has("IPS_KVMRedirectionSettingData", kvm_settings("1"));
  CHECK(f.shown("displays.get") ==
        R"({"displays":[{"displayIndex":0,"isActive":true,"upperLeftX":0,"upperLeftY":0,)"
        R"("resolutionX":1920,"resolutionY":1080,"isDefault":false,"role":"primary"},)"
        R"({"displayIndex":1,"isActive":true,"upperLeftX":1920,"upperLeftY":0,)"
        R"("resolutionX":1280,"resolutionY":720,"isDefault":true,"role":"secondary"},)"
        R"({"displayIndex":2,"isActive":false,"upperLeftX":-1,"upperLeftY":-1,)"
        R"("resolutionX":0,"resolutionY":0,"isDefault":false,"role":"tertiary"},)"
        R"({"displayIndex":3,"isActive":false,"upperLeftX":-1,"upperLeftY":-1,)"
        R"("resolutionX":0,"resolutionY":0,"isDefault":false,"role":"quaternary"}]})");
  CHECK(f.asked == questions{"IPS_ScreenSettingData Enumerate", "IPS_ScreenSettingData Pull",
                             "IPS_KVMRedirectionSettingData Get"});
}

TEST_CASE("firmware that counts its screens from nought is understood too") {
  const auto roles = [](const std::string& indices) {
    firmware f;
    f.lists("IPS_ScreenSettingData", screens(indices))
        .has("IPS_KVMRedirectionSettingData", kvm_settings("0"));
    auto told = f.carry_out("displays.get");
    REQUIRE(told.ok());
    std::string out;
    for (const auto& d : *told->find("displays")->items())
      out += (d.find("role") ? *d.find("role")->text() : "-") + " ";
    return out;
  };
  CHECK(roles(p("PrimaryIndex", "0") + p("SecondaryIndex", "1")) == "primary secondary - - ");
  CHECK(roles(p("PrimaryIndex", "2") + p("SecondaryIndex", "1")) == "secondary primary - - ");
  CHECK(roles(p("PrimaryIndex", "9")) == "- - - - ");
  CHECK(roles("") == "- - - - ");
}

TEST_CASE("a machine without KVM has no displays") {
  firmware f;
  CHECK(f.fails("displays.get") == problem::not_found);
  f.lists("IPS_ScreenSettingData", screens(captured_indices()));
  CHECK(f.fails("displays.get") == problem::not_found);
  CHECK(f.fails("displays.set", R"({"displayIndex":1})") == problem::not_found);
}

TEST_CASE("nonsense about screens is named") {
  std::string many;
  for (int i = 0; i < 17; ++i)
    many += p("IsActive", "true");
  for (const auto& bad :
       {p("ResolutionX", "wide"), p("UpperLeftX", "-99999999"), p("ResolutionY", "1e9"),
        p("IsActive", "7"), p("PrimaryIndex", "-1"), p("ResolutionX", ""), many}) {
    CAPTURE(bad);
    firmware f;
    f.lists("IPS_ScreenSettingData", item("IPS_ScreenSettingData", bad))
        .has("IPS_KVMRedirectionSettingData", kvm_settings("0"));
    CHECK(f.fails("displays.get") == problem::device_protocol);
  }
  firmware none;
  none.lists("IPS_ScreenSettingData", "").has("IPS_KVMRedirectionSettingData", kvm_settings("0"));
  CHECK(none.shown("displays.get") == R"({"displays":[]})");
}

TEST_CASE("the display of a session is put into what was read") {
  firmware f;
  f.has("IPS_KVMRedirectionSettingData", kvm_settings("0"))
      .gives("IPS_KVMRedirectionSettingData Put",
             item("IPS_KVMRedirectionSettingData", kvm_settings("2", "P@ssw0rd")));
  CHECK(f.shown("displays.set", R"({"displayIndex":"2"})") ==
        R"({"IPS_KVMRedirectionSettingData":{"BackToBackFbMode":false,"DefaultScreen":2,)"
        R"("ElementName":"Intel(r) KVM Redirection Settings","EnabledByMEBx":true,)"
        R"("InstanceID":"Intel(r) KVM Redirection Settings","Is5900PortEnabled":false,)"
        R"("OptInPolicy":true,"OptInPolicyTimeout":300,"RFBPassword":"","SessionTimeout":3}})");
  CHECK(f.asked ==
        questions{"IPS_KVMRedirectionSettingData Get", "IPS_KVMRedirectionSettingData Put"});
  CHECK(f.sent_text("IPS_KVMRedirectionSettingData Put", "DefaultScreen") == "2");
  CHECK(f.sent_text("IPS_KVMRedirectionSettingData Put", "OptInPolicyTimeout") == "300");

  firmware silent; // echoes nothing, so it is read again
  silent.has("IPS_KVMRedirectionSettingData", kvm_settings("0"))
      .has("IPS_KVMRedirectionSettingData", kvm_settings("3"));
  auto told = silent.carry_out("displays.set", R"({"displayIndex":3})");
  REQUIRE(told.ok());
  CHECK(*told->find("IPS_KVMRedirectionSettingData")->find("DefaultScreen")->integer() == 3);
}

TEST_CASE("a display is a number from 0 to 3") {
  CHECK(complaints("displays.set", R"({"displayIndex":0})").empty());
  for (const auto* bad : {"{}", R"({"displayIndex":4})", R"({"displayIndex":-1})",
                          R"({"displayIndex":"one"})", R"({"displayIndex":1.5})"})
    CHECK_MESSAGE(complaints("displays.set", bad) == questions{"displayIndex"}, std::string(bad));
}

} // namespace
} // namespace outband::amt
