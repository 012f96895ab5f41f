/** Identities: UUIDs as 16 octets on the bus, as lower-case text everywhere else. */

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Lower-case 8-4-4-4-12, or undefined if `bytes` are not 16. */
export function uuidText(bytes: Uint8Array): string | undefined {
  if (bytes.length !== 16) return undefined;
  let out = "";
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) out += "-";
    out += HEX[bytes[i]!]!;
  }
  return out;
}

/** The 16 octets of a textual UUID, or undefined if it is none. */
export function uuidBytes(text: string): Uint8Array | undefined {
  if (!UUID.test(text)) return undefined;
  const hex = text.replaceAll("-", "");
  const out = new Uint8Array(16);
  for (let i = 0; i < 16; i++) out[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
  return out;
}

/** RFC 9562 version 7: sorts by time, which is what the server's command table likes. */
export function uuid7(now: number, random: Uint8Array): Uint8Array {
  const out = new Uint8Array(16);
  let ms = Math.floor(now);
  for (let i = 5; i >= 0; i--) {
    out[i] = ms % 256;
    ms = Math.floor(ms / 256);
  }
  out.set(random.subarray(0, 10), 6);
  out[6] = (out[6]! & 0x0f) | 0x70;
  out[8] = (out[8]! & 0x3f) | 0x80;
  return out;
}

export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** Lower-case hex, so that it is a valid topic level. */
export function randomLevel(bytes = 8): string {
  return Array.from(randomBytes(bytes), (b) => HEX[b]!).join("");
}
