#include "tests/unit/messages/amt/script.hpp"

namespace outband::amt {
namespace {

using namespace script;

TEST_CASE("general settings are handed on with their header") {
  firmware f;
  f.has("AMT_GeneralSettings", "<HostName>pc-7</HostName><PingResponseEnabled>true</"
                               "PingResponseEnabled><IdleWakeTimeout>65535</IdleWakeTimeout>"
                               "<DomainName></DomainName>");
  auto told = f.carry_out("general.get");
  REQUIRE(told.ok());
  CHECK(f.asked == questions{"AMT_GeneralSettings Get"});
  CHECK(
      json::dump(*told->find("Body")) ==
      R"({"HostName":"pc-7","PingResponseEnabled":true,"IdleWakeTimeout":65535,"DomainName":""})");
  REQUIRE(told->find("Header") != nullptr);
  REQUIRE(told->find("Header")->find("RelatesTo") != nullptr);
  CHECK(told->find("Header")->find("RelatesTo")->text() != nullptr); // EMF's client
}

TEST_CASE("versions keep the firmware's order and are an array even if there is one") {
  firmware f;
  f.lists("CIM_SoftwareIdentity",
          item("CIM_SoftwareIdentity", "<InstanceID>Flash</InstanceID><IsEntity>true</IsEntity>"
                                       "<VersionString>16.1.25</VersionString>"));
  f.has("AMT_SetupAndConfigurationService",
        "<ProvisioningMode>1</ProvisioningMode><ProvisioningState>2</ProvisioningState>");
  auto told = f.carry_out("version.get");
  REQUIRE(told.ok());
  CHECK(f.asked == questions{"CIM_SoftwareIdentity Enumerate", "CIM_SoftwareIdentity Pull",
                             "AMT_SetupAndConfigurationService Get"});
  CHECK(json::dump(*told->find("CIM_SoftwareIdentity")) ==
        R"({"responses":[{"InstanceID":"Flash","IsEntity":true,"VersionString":"16.1.25"}],)"
        R"("status":200})");
  const auto* setup = told->find("AMT_SetupAndConfigurationService");
  REQUIRE(setup != nullptr);
  const auto* body = setup->find("responses")->find("Body");
  REQUIRE(body != nullptr);
  CHECK(json::dump(*body) == R"({"ProvisioningMode":1,"ProvisioningState":2})");
  CHECK(json::dump(*setup->find("response")) == json::dump(*body));
  CHECK(*setup->find("status")->integer() == 200);
}

TEST_CASE("hardware is asked class by class and a class that is not there says 400") {
  firmware f;
  f.has("CIM_ComputerSystemPackage", "<PlatformGUID>13AEE355</PlatformGUID>");
  f.has("CIM_Chassis", "<Manufacturer>Acme</Manufacturer>");
  f.refuses("CIM_Card Get", "DestinationUnreachable");
  f.has("CIM_BIOSElement",
        "<ReleaseDate><d:Datetime xmlns:d=\"urn:d\">2020-08-10T00:00:00Z</d:Datetime></"
        "ReleaseDate>");
  f.lists("CIM_Processor", "");
  f.lists("CIM_PhysicalMemory", item("CIM_PhysicalMemory", "<BankLabel>BANK 0</BankLabel>") +
                                    item("CIM_PhysicalMemory", "<BankLabel>BANK 1</BankLabel>"));
  f.refuses("CIM_MediaAccessDevice Enumerate", "DestinationUnreachable");
  f.lists("CIM_PhysicalPackage",
          item("CIM_Chassis", "<Tag>c</Tag>") + item("CIM_Card", "<Tag>board</Tag>"));
  f.lists("CIM_SystemPackaging",
          item("CIM_ComputerSystemPackage", "<PlatformGUID>1</PlatformGUID>"));
  f.lists("CIM_Chip", item("CIM_Chip", "<Tag>CPU 0</Tag>"));
  auto told = f.carry_out("hardware.get");
  REQUIRE(told.ok());
  CHECK(f.asked.size() == 15);
  CHECK(f.asked.front() == "CIM_ComputerSystemPackage Get");
  CHECK(f.asked[4] == "CIM_Processor Enumerate");
  CHECK(f.asked.back() == "CIM_Chip Pull");
  std::string order;
  for (const auto& m : *told->members())
    order += m.name.substr(4) + " ";
  CHECK(order == "ComputerSystemPackage SystemPackaging Chassis Chip Card BIOSElement Processor "
                 "PhysicalMemory MediaAccessDevice PhysicalPackage ");
  auto part = [&](const char* cls) {
    return json::dump(*told->find(cls));
  };
  CHECK(part("CIM_Card") == R"({"responses":[null],"status":400})");
  CHECK(part("CIM_Processor") == R"({"responses":[null],"status":400})");
  CHECK(part("CIM_MediaAccessDevice") == R"({"responses":[null],"status":400})");
  CHECK(part("CIM_PhysicalMemory") ==
        R"({"responses":[{"BankLabel":"BANK 0"},{"BankLabel":"BANK 1"}],"status":200})");
  CHECK(part("CIM_PhysicalPackage") == R"({"responses":[{"Tag":"board"}],"status":200})");
  CHECK(part("CIM_SystemPackaging") == R"({"responses":[{"PlatformGUID":1}],"status":200})");
  CHECK(part("CIM_Chip") == R"({"responses":[{"Tag":"CPU 0"}],"status":200})");
  const auto* bios = told->find("CIM_BIOSElement");
  CHECK(json::dump(*bios->find("response")) ==
        R"({"ReleaseDate":{"Datetime":"2020-08-10T00:00:00Z"}})");
  REQUIRE(bios->find("responses")->items() != nullptr);
  const auto& envelope = bios->find("responses")->items()->front();
  CHECK(envelope.find("Header") != nullptr);
  CHECK(json::dump(*envelope.find("Body")->find("CIM_BIOSElement")) ==
        json::dump(*bios->find("response")));
}

TEST_CASE("a firmware that tells nothing of its hardware has not answered") {
  firmware f;
  for (const auto* cls :
       {"CIM_ComputerSystemPackage", "CIM_Chassis", "CIM_Card", "CIM_BIOSElement"})
    f.refuses(std::string(cls) + " Get", "AccessDenied");
  for (const auto* cls : {"CIM_Processor", "CIM_PhysicalMemory", "CIM_MediaAccessDevice",
                          "CIM_PhysicalPackage", "CIM_SystemPackaging", "CIM_Chip"})
    f.refuses(std::string(cls) + " Enumerate", "AccessDenied");
  CHECK(f.fails("hardware.get") == problem::device_refused);
  CHECK(f.why.find("AccessDenied") != std::string::npos);
}

TEST_CASE("an instance of another class is nonsense and not inventory") {
  firmware f;
  f.gives("AMT_GeneralSettings Get", item("CIM_Chip", "<Tag>CPU 0</Tag>"));
  CHECK(f.fails("general.get") == problem::device_protocol);
}

TEST_CASE("disks are listed as Console does") {
  firmware f;
  f.lists("CIM_MediaAccessDevice",
          item("CIM_MediaAccessDevice", "<DeviceID>MEDIA DEV 0</DeviceID>"
                                        "<MaxMediaSize>960197124</MaxMediaSize>"));
  f.lists("CIM_PhysicalPackage", item("CIM_Card", "<Tag>board</Tag>"));
  CHECK(f.shown("disk.get") ==
        R"({"CIM_MediaAccessDevice":{"responses":[[{"DeviceID":"MEDIA DEV 0",)"
        R"("MaxMediaSize":960197124}]],"status":200},)"
        R"("CIM_PhysicalPackage":{"responses":[[{"Tag":"board"}]],"status":200}})");
}

TEST_CASE("captured inventory is told as it was captured" * doctest::skip(no_captures())) {
  firmware f;
  f.captured("AMT_GeneralSettings Get", "amt/general/get.xml");
  auto general = f.carry_out("general.get");
  REQUIRE(general.ok());
  CHECK(*general->find("Body")->find("InstanceID")->text() == "Intel(r) AMT: General Settings");
  CHECK(*general->find("Body")->find("DDNSTTL")->integer() == 900);

  f.captured_list("CIM_SoftwareIdentity", "cim/software/identity");
  f.captured("AMT_SetupAndConfigurationService Get", "amt/setupandconfiguration/get.xml");
  auto version = f.carry_out("version.get");
  REQUIRE(version.ok());
  const auto* software = version->find("CIM_SoftwareIdentity")->find("responses");
  REQUIRE(software->items()->size() >= 11);

  f.captured("CIM_ComputerSystemPackage Get", "cim/computer/systempackage/get.xml");
  f.captured("CIM_Chassis Get", "cim/chassis/get.xml");
  f.captured("CIM_Card Get", "cim/card/get.xml");
  f.captured("CIM_BIOSElement Get", "cim/bios/element/get.xml");
  f.captured_list("CIM_Processor", "cim/physical/processor");
  f.lists("CIM_Processor", "");
  f.captured_list("CIM_PhysicalMemory", "cim/physical/memory");
  f.captured_list("CIM_MediaAccessDevice", "cim/mediaaccess");
  f.captured_list("CIM_PhysicalPackage", "cim/physical/package");
  f.captured_list("CIM_SystemPackaging", "cim/system/packaging");
  f.captured_list("CIM_Chip", "cim/chip");
  f.lists("CIM_Chip", ""); // the captured batch says that there is more
  auto hardware = f.carry_out("hardware.get");
  REQUIRE_MESSAGE(hardware.ok(), f.why);
  CHECK(*hardware->find("CIM_Chassis")->find("response")->find("Model")->text() == "NUC9V7QNX");
  CHECK(*hardware->find("CIM_Chip")->find("status")->integer() == 200);
  CHECK(hardware->find("CIM_PhysicalMemory")->find("responses")->items()->size() >= 1);
}

} // namespace
} // namespace outband::amt
