#include "messages/amt/tls.hpp"

#include "tests/unit/messages/amt/script.hpp"

namespace outband::amt {
namespace {

using namespace script;

TEST_CASE("TLS settings are told as Console tells them") {
  firmware f;
  f.lists("AMT_TLSSettingData",
          item("AMT_TLSSettingData",
               "<AcceptNonSecureConnections>false</AcceptNonSecureConnections>"
               "<ElementName>net</ElementName><Enabled>true</Enabled><InstanceID>Intel(r) AMT "
               "802.3 TLS Settings</InstanceID><MutualAuthentication>true</MutualAuthentication>"
               "<NonSecureConnectionsSupported>false</NonSecureConnectionsSupported>"
               "<TrustedCN>a</TrustedCN><TrustedCN>b</TrustedCN>") +
              item("AMT_TLSSettingData", "<InstanceID>Intel(r) AMT LMS TLS Settings</InstanceID>"));
  CHECK(f.shown("tls.settings.get") ==
        R"([{"ElementName":"net","InstanceID":"Intel(r) AMT 802.3 TLS Settings",)"
        R"("MutualAuthentication":true,"Enabled":true,"TrustedCN":["a","b"],)"
        R"("AcceptNonSecureConnections":false,"NonSecureConnectionsSupported":false},)"
        R"({"ElementName":"","InstanceID":"Intel(r) AMT LMS TLS Settings",)"
        R"("MutualAuthentication":false,"Enabled":false,"AcceptNonSecureConnections":false,)"
        R"("NonSecureConnectionsSupported":null}])");
  CHECK(f.asked == questions{"AMT_TLSSettingData Enumerate", "AMT_TLSSettingData Pull"});
}

TEST_CASE("absurd TLS settings are named") {
  std::string many;
  for (int i = 0; i < 65; ++i)
    many += "<TrustedCN>x</TrustedCN>";
  for (const auto& inner : {many, "<TrustedCN>" + std::string(300, 'x') + "</TrustedCN>",
                            std::string("<Enabled>on</Enabled>")}) {
    firmware f;
    f.lists("AMT_TLSSettingData", item("AMT_TLSSettingData", inner));
    CHECK(f.fails("tls.settings.get") == problem::device_protocol);
    CHECK(f.why.find("AMT_TLSSettingData.") != std::string::npos);
  }
}

TEST_CASE("captured TLS settings are told" * doctest::skip(no_captures())) {
  firmware f;
  f.captured_list("AMT_TLSSettingData", "amt/tls/settingdata");
  CHECK(f.shown("tls.settings.get")
            .find(R"("InstanceID":"Intel(r) AMT LMS TLS Settings","MutualAuthentication":false,)"
                  R"("Enabled":false,"AcceptNonSecureConnections":true)") != std::string::npos);
}

} // namespace
} // namespace outband::amt
