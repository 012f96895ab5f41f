#include "messages/amt/explorer.hpp"

#include "tests/unit/messages/amt/script.hpp"

namespace outband::amt {
namespace {

using namespace script;

TEST_CASE("a class is shown with all its instances as JSON and as XML") {
  firmware f;
  f.lists("CIM_CredentialContext",
          item("AMT_TLSCredentialContext",
               reference("ElementInContext", "AMT_PublicKeyCertificate", "InstanceID", "a & b")) +
              item("AMT_8021XCredentialContext", "<X></X>"));
  auto told = f.carry_out("explorer.get", R"({"class":"CIMCredentialContext"})");
  REQUIRE(told.ok());
  CHECK(*told->find("class")->text() == "CIM_CredentialContext");
  CHECK(*told->find("asked")->text() == "Enumerate and Pull");
  CHECK(f.asked == questions{"CIM_CredentialContext Enumerate", "CIM_CredentialContext Pull"});
  const auto& all = *told->find("instances")->items();
  REQUIRE(all.size() == 2);
  REQUIRE(all[0].find("AMT_TLSCredentialContext") != nullptr);
  CHECK(json::dump(all[1]) == R"({"AMT_8021XCredentialContext":{"X":""}})");
  const auto xml = *told->find("xmlOutput")->text();
  CHECK(xml.find("<AMT_TLSCredentialContext xmlns=\"" + uri("AMT_TLSCredentialContext") +
                 "\">\n  <ElementInContext>\n") == 0);
  CHECK(xml.find("Name=\"InstanceID\">a &amp; b</Selector>") != std::string::npos);
  CHECK(wsman::parse_xml("<all>" + xml + "</all>").ok());
}

TEST_CASE("a class that is not enumerated is got") {
  firmware refused;
  refused.refuses("AMT_GeneralSettings Enumerate", "ActionNotSupported");
  refused.has("AMT_GeneralSettings", "<HostName>pc</HostName>");
  CHECK(refused.shown("explorer.get", R"({"class":"AMT_GeneralSettings"})")
            .find(R"("asked":"Get","instances":[{"AMT_GeneralSettings":{"HostName":"pc"}}])") !=
        std::string::npos);
  firmware empty;
  empty.lists("AMT_GeneralSettings", "");
  empty.has("AMT_GeneralSettings", "<HostName>pc</HostName>");
  CHECK(empty.carry_out("explorer.get", R"({"class":"AMTGeneralSettings"})").ok());
}

TEST_CASE("selectors name one instance") {
  firmware f;
  f.has("AMT_TLSSettingData", "<Enabled>true</Enabled>");
  CHECK(f.carry_out("explorer.get",
                    R"({"class":"AMT_TLSSettingData","selectors":{"InstanceID":"x"}})")
            .ok());
  CHECK(f.asked == questions{"AMT_TLSSettingData Get"});
  CHECK(f.requests[0].selectors.at(0).name == "InstanceID");
  CHECK(f.requests[0].selectors.at(0).value == "x");
}

TEST_CASE("a class that the firmware does not have is not found") {
  firmware f;
  f.refuses("CIM_Nothing Enumerate", "DestinationUnreachable");
  f.refuses("CIM_Nothing Get", "DestinationUnreachable");
  CHECK(f.fails("explorer.get", R"({"class":"CIM_Nothing"})") == problem::not_found);
  firmware denied;
  denied.refuses("CIM_Chip Enumerate", "AccessDenied");
  denied.refuses("CIM_Chip Get", "AccessDenied");
  CHECK(denied.fails("explorer.get", R"({"class":"CIM_Chip"})") == problem::device_refused);
}

TEST_CASE("only class names of the three families are asked for") {
  CHECK(explored_class("AMT_8021XProfile") == "AMT_8021XProfile");
  CHECK(explored_class("AMT8021xProfile") == "AMT_8021XProfile");
  CHECK(explored_class("IPSKVMRedirectionSettings") == "IPS_KVMRedirectionSettingData");
  CHECK(explored_class("IPSOptInService") == "IPS_OptInService");
  for (const auto* bad :
       {"", "AMT", "AMT_", "amt_X", "XYZ_Class", "CIM_A/B", "CIM_A<", "CIM_A B", "Win32_Process"}) {
    CAPTURE(bad);
    CHECK(explored_class(bad).empty());
  }
  CHECK(explored_class("AMT_" + std::string(61, 'x')).empty());
  CHECK(complaints("explorer.get", "{}") == questions{"class"});
  CHECK(complaints("explorer.get", R"({"class":"CIM_Chip","selectors":[]})") ==
        questions{"selectors"});
  CHECK(complaints("explorer.get", R"({"class":"CIM_Chip","selectors":{"A B":"x"}})") ==
        questions{"selectors"});
  CHECK(complaints("explorer.get", R"({"class":"CIM_Chip","selectors":{"A":1}})") ==
        questions{"selectors"});
}

} // namespace
} // namespace outband::amt
