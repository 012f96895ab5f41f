/// Column lists and parameter orders that several statements share. Internal to this folder.
#pragma once

#include "actors/ports/store.hpp"
#include "actors/store/values.hpp"

#include <string>
#include <string_view>

namespace outband::store {

/// Bounds of what is stored; larger input is too_large, naming the field.
inline constexpr std::size_t max_text = 256, max_tags = 64, max_tag = 64;
inline constexpr std::size_t max_device_info = 16 * 1024, max_bulk = 10'000, max_page = 10'000;
inline constexpr std::size_t max_document = 1024 * 1024, max_messages = 256;

/// Columns of a device_record from `device d join link l`.
extern const char* const record_columns;
inline constexpr int record_column_count = 16;
/// The record in a row whose first columns are record_columns.
device_record read_record(const rows& from, int row);

/// Columns of a command_row, prefixed ("c.").
std::string command_columns(const std::string& prefix);
inline constexpr int command_column_count = 13;
/// The command in a row, its columns beginning at `first`.
command_row read_command(const rows& from, int row, int first);

/// A key of the wrong form cannot be in the table: not_found, as for any other unknown one.
status check_tenant(const tenant_key& key);
status check_text(std::string_view value, std::string_view field, std::size_t limit = max_text);
status check_tags(const std::vector<std::string>& tags);
status check_messages(const std::vector<bus::outgoing>& messages);
failure no_device(const device_ref& ref);
/// Nothing is added to a tenant that is to go.
failure tenant_leaves(std::string field = "tenant");
/// The three parameters of a page of devices in the order of their keys: tenant and guid of the row
/// before it ("tenant/guid", empty at first), and its size.
result<params> page_after(const std::string& after, std::size_t limit);
/// Rows of tenant, guid.
std::vector<device_ref> read_refs(const rows& from);
/// The lease has another epoch than `fence`.
failure not_controller(std::uint64_t fence);
/// A document in a row could not be read.
failure unreadable(const device_ref& ref, std::string_view column, const failure& why);

/// The CTE `fence`: one row while the lease's epoch is the parameter `number`, which then cannot
/// change until this transaction has ended; it must come before every other lock. A takeover
/// changes the unique column `epoch` and so conflicts with FOR KEY SHARE; a renewal does not, and
/// neither waits for the other. Ends with a comma.
std::string fence_cte(int number);

/// The part of a statement that writes messages to the outbox and keeps `retained` in step, gated
/// by the CTE `gate` (one row: yes; none: nothing is written). Needs six parameters from `first`
/// on; ends without a comma. The main SELECT must mention `published`.
std::string publish_ctes(const std::string& gate, int first);
/// The same from a CTE `msg` (topic, payload, content_type, retain, expiry_s, ord) on; `token` is
/// the number of that parameter.
std::string publish_ctes_of_msg(int token);
/// Those six parameters. `token` tells our own notification from others'.
void add_messages(params& to, const std::vector<bus::outgoing>& messages, const std::string& token);

} // namespace outband::store
