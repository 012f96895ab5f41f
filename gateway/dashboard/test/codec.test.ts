import { encode } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { decode, encodeRequest, MAX_PAYLOAD } from "../src/codec";
import type { Document } from "../src/documents";
import { uuid7, uuidBytes, uuidText } from "../src/ids";
import { hex, ID, NOW, octets, vectors } from "./vectors";

function read<K extends Document["kind"]>(text: string, kind: K): Extract<Document, { kind: K }> {
  const got = decode(octets(text), kind);
  if (!got.ok) throw new Error(got.error);
  return got.value as Extract<Document, { kind: K }>;
}

function refusal(message: unknown, kind: Document["kind"] = "current"): string {
  const got = decode(message instanceof Uint8Array ? message : encode(message), kind);
  return got.ok ? "accepted" : got.error;
}

describe("what the server writes is read", () => {
  test("a wish with its revision", () => {
    const doc = read(vectors.desired, "desired");
    expect(doc.body).toEqual({ target: "off", policy: "immediate" });
    expect(doc.env).toEqual({
      id: ID,
      kind: "desired",
      time: NOW,
      rev: 7,
      seq: 0,
      deleted: false,
    });
    expect(read(vectors.keep, "desired").body).toEqual({ target: "keep", policy: "ordered" });
  });

  test("what was observed", () => {
    expect(read(vectors.current, "current").body).toEqual({
      level: "off",
      since: 1795237400000,
      observed: 1795237420000,
      link: { state: "late", epoch: 3, since: 1795237410000, why: "silent" },
      version: "16.1.25",
      desiredRev: 6,
      conditions: [
        {
          type: "power",
          ok: false,
          code: "in-progress",
          reason: "Asked the operating system to shut down.",
          since: 1795237415000,
        },
      ],
    });
  });

  test("presence and events", () => {
    expect(read(vectors.presence, "presence").body).toEqual({
      state: "unknown",
      epoch: 3,
      since: 1795237410000,
      why: "its node is gone",
    });
    const event = read(vectors.event, "event");
    expect(event.env.seq).toBe(42);
    expect(event.body).toEqual({
      type: "power.changed",
      text: "The machine is now off.",
      by: "op/alice",
    });
  });

  test("a refusal with its reason, and a snapshot", () => {
    const refused = read(vectors.refused, "response").body;
    expect(refused.status).toBe("rejected");
    expect(refused.code).toBe("transition-refused");
    expect(refused.text).toMatch(/not possible while the machine is off/);
    const snapshot = read(vectors.snapshot, "response").body.snapshot;
    expect(snapshot?.desiredRev).toBe(7);
    expect(snapshot?.currentRev).toBe(9);
    expect(snapshot?.current.level).toBe("off");
  });

  test("a tombstone has no body", () => {
    const doc = read(vectors.tombstone, "desired");
    expect(doc.env.deleted).toBe(true);
    expect(doc.body).toBeUndefined();
  });
});

describe("what is written", () => {
  const id = uuidBytes(ID)!;

  test("is what the server's decoder takes, octet by octet", () => {
    // Read back by bus::decode_request: a wish for off, ordered.
    const body = { act: "desired.patch", power: { target: "off", policy: "ordered" } } as const;
    expect(hex(encodeRequest({ id, now: NOW, source: "op/alice", body }))).toBe(
      [
        "86a17601a26964c4100190a5c27b3e7def8123456789abcdefa16ba772657175657374a27473cf00",
        "0001a1fc7d2043a3737263a86f702f616c696365a16482a3616374ad646573697265642e70617463",
        "68a361726781a5706f77657282a6746172676574a36f6666a6706f6c696379a76f726465726564",
      ].join(""),
    );
  });
});

describe("hostile messages are refused with a sentence", () => {
  const good = { v: 1, k: "current", rev: 1, d: {} };

  test("octets that are no MessagePack, and every cut of a good message", () => {
    expect(refusal(new Uint8Array([0xc1]))).not.toBe("accepted");
    expect(refusal(new Uint8Array())).not.toBe("accepted");
    const whole = octets(vectors.current);
    for (let n = 0; n < whole.length; n++)
      expect(refusal(whole.subarray(0, n)), `${n} octets`).not.toBe("accepted");
  });

  test("another kind than the topic says, another version, something that is no map", () => {
    expect(refusal({ ...good, k: "desired" })).toMatch(/desired under current/);
    expect(refusal({ ...good, v: 2 })).toMatch(/schema/);
    expect(refusal([1, 2])).toMatch(/not a map/);
    expect(refusal("text")).toMatch(/not a map/);
    expect(refusal({ ...good, d: "text" })).toMatch(/^d is not a map/);
    expect(refusal({ ...good, d: { power: [] } })).toMatch(/d\.power/);
    expect(refusal({ ...good, d: { conds: {} } })).toMatch(/d\.conds/);
    expect(refusal({ ...good, d: { conds: [7] } })).toMatch(/d\.conds\[0\]/);
  });

  test("sizes beyond the limits", () => {
    expect(refusal(new Uint8Array(MAX_PAYLOAD + 1))).toMatch(/65537 octets/);
    expect(refusal({ ...good, d: { x: "y".repeat(5000) } })).toMatch(/length/);
    // A claim of four thousand million entries in five octets.
    expect(refusal(new Uint8Array([0xdf, 0xff, 0xff, 0xff, 0xff]))).not.toBe("accepted");
  });

  test("a key that would reach the prototype", () => {
    expect(refusal(octets("81a95f5f70726f746f5f5f01"))).not.toBe("accepted");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("values of the wrong type or of a newer server become what is not known", () => {
    const d = {
      power: { state: "molten", since: "yesterday", observed: -5 },
      link: { state: 7, why: null },
      conds: [{ type: "power" }],
      more: { of: "it" },
    };
    const got = decode(encode({ ...good, d }), "current");
    if (!got.ok || got.value.kind !== "current") throw new Error("refused");
    expect(got.value.body?.level).toBe("unknown");
    expect(got.value.body?.since).toBe(0);
    expect(got.value.body?.observed).toBe(0);
    expect(got.value.body?.link).toEqual({ state: "unknown", epoch: 0, since: 0, why: "" });
    expect(got.value.body?.conditions[0]?.ok).toBe(false);
  });

  test("random octets never throw", () => {
    let seed = 12345;
    const next = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
    for (let i = 0; i < 3000; i++) {
      const noise = octets(vectors.current);
      for (let k = 0; k < 1 + (i % 8); k++) noise[next() % noise.length] = next() & 0xff;
      const got = decode(noise, "current");
      if (!got.ok) expect(got.error).not.toBe("");
    }
  });
});

describe("UUIDs", () => {
  test("go to text and back", () => {
    expect(uuidText(uuidBytes(ID)!)).toBe(ID);
    expect(uuidBytes("0190a5c2")).toBeUndefined();
    expect(uuidText(new Uint8Array(15))).toBeUndefined();
  });

  test("version 7 carries its time first, so that later ones sort later", () => {
    const random = new Uint8Array(10).fill(0xff);
    expect(uuidText(uuid7(NOW, random))).toBe("01a1fc7d-2043-7fff-bfff-ffffffffffff");
    expect(uuidText(uuid7(NOW, random))! < uuidText(uuid7(NOW + 1, random.fill(0)))!).toBe(true);
  });
});
