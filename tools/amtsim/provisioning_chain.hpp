/// What firmware checks of a provisioning certificate and its chain, with OpenSSL.
///
/// Rules: RSA of 2048 bits at least and no SHA-1 (AMT 22: 3072 bits, no SHA-256 either); inside its
/// time by the firmware's own clock; the leaf is for "client setup" (an extended key usage, or the
/// name Intel asks for in its OU); each is signed by the next; the last is a root whose hash is
/// known and active. Source: Intel's AMT Implementation and Reference Guide, "Remote configuration
/// certificate requirements"; deployment issues 413, 605 of open-amt-cloud-toolkit for 16 and 22.
/// Context: pure.
#pragma once

#include "tools/amtsim/activation_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amtsim {

enum class chain_problem : std::uint8_t {
  none,
  malformed,     ///< no certificate
  weak,          ///< kind or size of key, or how it is signed
  out_of_time,   ///< not yet, or no longer, valid
  wrong_purpose, ///< a leaf that is for something else, an issuer that is no authority
  not_signed_by, ///< the one before it was not signed by this one
  unknown_root,  ///< its hash is not in the list, or switched off there
};

/// A certificate on its own; as leaf or as issuer.
chain_problem check_alone(std::string_view der, bool leaf, const device_model& d, sim_time now);
/// Did `issuer` sign it?
chain_problem check_link(std::string_view der, std::string_view issuer);
/// Is it one of the machine's active roots?
chain_problem check_root(std::string_view der, const device_model& d);
/// All of it, leaf first.
chain_problem check_chain(const std::vector<std::string>& chain, const device_model& d,
                          sim_time now);

/// Does the leaf's common name belong to the domain that the machine is in: its PKI suffix, else
/// the DHCP suffix of its wired network? What follows the host's label must be that suffix; below
/// .com and .net the last two labels suffice (Intel support article 000100444, and Intel's vPro
/// community, 2007-09-28).
bool belongs_to_domain(std::string_view leaf_der, const device_model& d);
/// SigningAlgorithm: 2 is SHA-256, which AMT 22 no longer takes; 3 is SHA-384, from AMT 21 on (Open
/// AMT's "ADR: Intel AMT 22 support"). nullopt: this firmware does not know it.
std::optional<hash_algorithm> signing_hash(std::string_view signing_algorithm,
                                           const device_model& d);
/// RSASSA-PKCS1-v1_5 by the certificate's key.
bool signed_octets(std::string_view leaf_der, std::string_view octets, std::string_view signature,
                   hash_algorithm a);
std::string hash_of(std::string_view der, hash_algorithm a);
/// The entries that a root gets: by SHA-256 and, for AMT 22, by SHA-384; named by its common name.
/// nullopt: no certificate.
std::optional<std::vector<trusted_hash>> entries_of(std::string_view root_der);
/// Adds those of all certificates in a PEM file; empty, or why not.
std::string read_trusted_roots(const std::string& file, std::vector<trusted_hash>& into);
/// From text in PEM; the first certificate's DER, empty if there is none.
std::string der_from_pem(const std::string& pem);

/// A certificate as port 16993 shows before anybody gave it one: CN "AMT RCFG", by
/// settings::on_die, which stands in for Intel's own root; without one self-signed.
bool make_rcfg_certificate(const device_model& d, std::string& certificate_der,
                           std::string& key_der);

} // namespace outband::amtsim
