/// What the machine is: general settings, firmware versions, hardware, disks.
///
/// MPS hands these instances on as the firmware wrote them, so they are kept as XML here.
/// Source: MPS src/routes/amt/{getGeneralSettings,getVersion,getHardwareInfo}.ts; disks: Console
/// internal/usecase/devices/info.go. Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/wsman/talk.hpp"

#include <string_view>
#include <vector>

namespace outband::amt {

/// What was read of one class. Pointers live as long as the talk.
struct class_reading {
  std::string_view cls;  ///< as asked; of an abstract class the items bear their own names
  bool singular = false; ///< read with Get
  std::vector<const wsman::node*> items;   ///< none: refused, or there is no instance
  const wsman::response* answer = nullptr; ///< the last one
  bool refused = false;
};

/// Exactly one item.
result<class_reading> get_general_settings(wsman::talk& t);

struct version_reading {
  class_reading software; ///< CIM_SoftwareIdentity in the firmware's order
  class_reading setup;    ///< AMT_SetupAndConfigurationService
};
result<version_reading> get_version(wsman::talk& t);

/// The ten classes in MPS's order of asking. A class that this firmware refuses is reported as
/// such; the whole fails only if it refuses all of them.
result<std::vector<class_reading>> get_hardware(wsman::talk& t);
/// CIM_MediaAccessDevice, CIM_PhysicalPackage.
result<std::vector<class_reading>> get_disks(wsman::talk& t);

} // namespace outband::amt
