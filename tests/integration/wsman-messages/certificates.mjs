// As much of DER as it takes to make what a provisioning server hands to a machine.
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";

function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  const length = [];
  for (let n = content.length; n > 0; n >>= 8) length.unshift(n & 255);
  const head = content.length < 128 ? [tag, content.length] : [tag, 128 | length.length, ...length];
  return Buffer.concat([Buffer.from(head), content]);
}
const sequence = (...parts) => der(0x30, ...parts);
const integer = (n) => der(0x02, Buffer.from([n]));
const text = (tag, s) => der(tag, Buffer.from(s));
const bits = (octets) => der(0x03, Buffer.from([0]), octets);
const part = (type, value) => der(0x31, sequence(Buffer.from(type, "hex"), text(0x0c, value)));
/** With an organisational unit before it, perhaps. */
const commonName = (name, unit) =>
  sequence(...(unit ? [part("060355040b", unit)] : []), part("0603550403", name));
/** sha256WithRSAEncryption */
const algorithm = Buffer.from("300d06092a864886f70d01010b0500", "hex");

export const newKey = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
export const pkcs1 = (key) => key.export({ format: "der", type: "pkcs1" }).toString("base64");
/** From DERKey of AMT_PublicPrivateKeyPair. */
export const publicKey = (base64) =>
  createPublicKey({ key: Buffer.from(base64, "base64"), format: "der", type: "pkcs1" });
const spki = (key) => key.export({ format: "der", type: "spki" });

/** X.509 in base64, valid from 2020 to 2049. */
export function certificate(name, subjectKey, signer, serial, { unit } = {}) {
  const body = sequence(
    integer(serial),
    algorithm,
    commonName("Example Root"),
    sequence(text(0x17, "200101000000Z"), text(0x17, "491231235959Z")),
    commonName(name, unit),
    spki(subjectKey),
  );
  return sequence(body, algorithm, bits(sign("sha256", body, signer))).toString("base64");
}

export const pem = (base64) =>
  `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g).join("\n")}\n-----END CERTIFICATE-----\n`;

/** PKCS#10 in base64 with a signature of no octets. */
export function nullSignedRequest(name, subjectKey) {
  const body = sequence(integer(0), commonName(name), spki(subjectKey), der(0xa0));
  return sequence(body, algorithm, bits(Buffer.alloc(0))).toString("base64");
}

/** The signed part and the signature of a PKCS#10 request. */
export function parts(base64) {
  const all = Buffer.from(base64, "base64");
  const at = (from) => {
    const long = all[from + 1] & 128 ? all[from + 1] & 127 : 0;
    const length = long ? all.readUIntBE(from + 2, long) : all[from + 1];
    return { start: from + 2 + long, end: from + 2 + long + length };
  };
  const outer = at(0);
  const body = at(outer.start);
  const signatureBits = at(at(body.end).end);
  return {
    body: all.subarray(outer.start, body.end),
    signature: all.subarray(signatureBits.start + 1, signatureBits.end),
  };
}
