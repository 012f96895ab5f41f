/// Writes HTTP/1.1 messages; every function appends to `out` only if it succeeds.
///
/// A header name or value that would break the framing (CR, LF, NUL) is refused, so text from a
/// peer (a digest realm) cannot smuggle a header.
/// Context: pure, any thread. Dates come from the caller.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/http/message.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace outband::http {

/// Start line, the fields in their order, Content-Length, and Connection: close if asked for.
status write(const request& r, std::string& out);

/// A WS-MAN call as open-amt-cloud-toolkit/mps src/amt/HttpHandler.ts orders it: Authorization (if
/// not empty), Host, Content-Type, Content-Length. MPS omits the Content-Type, go-wsman-messages
/// and some firmware want it. `close`: last, Connection: close, so that the firmware ends the
/// connection with its answer.
status write_wsman(std::string_view host, std::string_view authorization, std::string_view body,
                   std::string& out, bool close = false);

/// The largest chunk ever captured from AMT, 0x02FA octets.
constexpr std::size_t amt_chunk = 762;

/// The fields in their order, then Transfer-Encoding: chunked, then Connection: close if not
/// keep_alive. Chunk sizes have four upper-case hex digits, as MPS's and RPS's parsers expect.
status write_chunked(const response& r, std::string& out, std::size_t chunk = amt_chunk);

/// The fields in their order, Content-Length, Connection. That order matters: MPS takes a header
/// block whose last line ends in "0" for the end of a chunked body.
status write_sized(const response& r, std::string& out);

/// The fields of AMT's answer to a WS-MAN call: Date, Server, X-Frame-Options, Content-Type. Send
/// it with write_chunked; a fault (status 400 or 500) closes the connection.
response amt_answer(int status_code, std::string_view date, std::string_view server,
                    std::string body);
/// AMT's 401, after which it closes the connection. Send it with write_sized. Clients (MPS) wait
/// for the closing </html>.
response amt_unauthorized(std::string_view challenge, std::string_view server);

} // namespace outband::http
