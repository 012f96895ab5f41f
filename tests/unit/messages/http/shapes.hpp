/// HTTP messages in the form that AMT and its clients put on the wire; the 401 is a capture from
/// AMT 15.0.23 quoted in open-amt-cloud-toolkit/mps tests.
#pragma once

#include <string>

namespace outband::http::test {

inline const std::string amt_server = "Intel(R) Active Management Technology 15.0.23.1706";

inline const std::string captured_challenge =
    "Digest realm=\"Digest:34BF4B5A0561F95248F58509A406E046\", "
    "nonce=\"bQali2IAAAAAAAAAn0xaWCOcxNsRcEHX\",stale=\"false\",qop=\"auth\"";

/// 693 octets, as its header says.
inline std::string page_401() {
  std::string page = "<html><body>Log on failed. Incorrect user name or password, or user account "
                     "temporarily locked.";
  const std::string end = "</body></html>\n";
  return page + std::string(693 - page.size() - end.size(), ' ') + end;
}

inline std::string captured_401() {
  return "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: " + captured_challenge +
         "\r\nContent-Type: text/html\r\nServer: " + amt_server +
         "\r\nContent-Length: 693\r\nConnection: close\r\n\r\n" + page_401();
}

inline std::string body_200() {
  std::string body;
  while (body.size() < 0x220 + 0x2FA)
    body += "<a:Envelope>" + std::to_string(body.size()) + "</a:Envelope>";
  return body.substr(0, 0x220 + 0x2FA);
}

inline std::string captured_200() {
  const auto body = body_200();
  return "HTTP/1.1 200 OK\r\nDate: Tue, 22 Mar 2022 04:29:40 GMT\r\nServer: " + amt_server +
         "\r\nX-Frame-Options: DENY\r\nContent-Type: application/soap+xml; charset=UTF-8\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0220\r\n" +
         body.substr(0, 0x220) + "\r\n02FA\r\n" + body.substr(0x220) + "\r\n0\r\n\r\n";
}

} // namespace outband::http::test
