/**
 * MessagePack of the bus into documents and back. Everything received is bounded and checked;
 * what is not understood is an error value with a sentence, never an exception.
 *
 * Names and limits are those of messages/bus/bodies.cpp. State and events ignore fields they do
 * not know, so that an older page reads a newer server. The server is strict with requests: nothing
 * may be sent that it does not know.
 */
import { Decoder, Encoder } from "@msgpack/msgpack";
import type {
  Answer,
  Condition,
  Current,
  Desired,
  DeviceEvent,
  Document,
  Envelope,
  Link,
  LinkState,
  PowerLevel,
  PowerPolicy,
  PowerTarget,
  RequestBody,
  RequestStatus,
  Snapshot,
} from "./documents";
import { uuidText } from "./ids";

export const CONTENT_TYPE = "application/vnd.oob.v1+msgpack";
/** Octets; the same limit as the server's. */
export const MAX_PAYLOAD = 65536;
const MAX_CONDITIONS = 64;
const MAX_TEXT = 1024;

type Fields = Record<string, unknown>;
type Result<T> = { ok: true; value: T } | { ok: false; error: string };

const decoder = new Decoder({
  maxStrLength: 4096,
  maxBinLength: 32768,
  maxArrayLength: 1024,
  maxMapLength: 256,
  maxExtLength: 0,
});
const encoder = new Encoder();

// -- small readers ------------------------------------------------------------------------------

/** What is wrong with a message; caught where the message is decoded, nowhere else. */
class Malformed extends Error {}

function fields(value: unknown, name: string): Fields {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value) || value instanceof Uint8Array)
    throw new Malformed(`${name} is not a map`);
  return value as Fields;
}

function text(of: Fields, key: string): string {
  const v = of[key];
  return typeof v === "string" ? v.slice(0, MAX_TEXT) : "";
}

function count(of: Fields, key: string): number {
  const v = of[key];
  return typeof v === "number" && Number.isFinite(v) && v >= 0 ? v : 0;
}

/** A word that the page does not know (a newer server's) becomes `otherwise`. */
function oneOf<T extends string>(of: Fields, key: string, known: readonly T[], otherwise: T): T {
  const v = of[key];
  return known.includes(v as T) ? (v as T) : otherwise;
}

// -- bodies -------------------------------------------------------------------------------------

const TARGETS: readonly PowerTarget[] = ["keep", "on", "off", "sleep", "hibernate"];
const POLICIES: readonly PowerPolicy[] = ["ordered", "immediate"];
const LINKS: readonly LinkState[] = ["up", "late", "down", "unknown"];
const STATUSES: readonly RequestStatus[] = [
  "accepted",
  "running",
  "done",
  "failed",
  "rejected",
  "expired",
  "unknown",
];

const LEVELS: readonly PowerLevel[] = ["unknown", "on", "sleep", "hibernate", "off"];

function readDesired(d: Fields): Desired {
  const power = fields(d["power"], "d.power");
  return {
    target: oneOf(power, "target", TARGETS, "keep"),
    policy: oneOf(power, "policy", POLICIES, "ordered"),
  };
}

function readConditions(value: unknown): Condition[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Malformed("d.conds is not an array");
  return value.slice(0, MAX_CONDITIONS).map((item, i) => {
    const c = fields(item, `d.conds[${i}]`);
    return {
      type: text(c, "type"),
      ok: c["status"] === true,
      code: text(c, "code"),
      reason: text(c, "reason"),
      since: count(c, "since"),
    };
  });
}

function readCurrent(d: Fields): Current {
  const power = fields(d["power"], "d.power");
  const link = fields(d["link"], "d.link");
  const amt = fields(d["amt"], "d.amt");
  return {
    level: oneOf(power, "state", LEVELS, "unknown"),
    since: count(power, "since"),
    observed: count(power, "observed"),
    link: {
      state: oneOf(link, "state", LINKS, "unknown"),
      epoch: count(link, "epoch"),
      since: count(link, "since"),
      why: text(link, "why"),
    },
    version: text(amt, "version"),
    desiredRev: count(d, "desiredRev"),
    conditions: readConditions(d["conds"]),
  };
}

function readPresence(d: Fields): Link {
  return {
    state: oneOf(d, "link", LINKS, "unknown"),
    epoch: count(d, "ep"),
    since: count(d, "since"),
    why: text(d, "why"),
  };
}

function readEvent(d: Fields): DeviceEvent {
  const type = text(d, "t");
  return { type, text: text(d, "text") || type, by: text(d, "by") };
}

function readSnapshot(value: unknown): Snapshot | undefined {
  if (value === undefined || value === null) return undefined;
  const s = fields(value, "d.data");
  return {
    desired: readDesired(fields(s["desired"], "d.data.desired")),
    desiredRev: count(s, "desiredRev"),
    current: readCurrent(fields(s["current"], "d.data.current")),
    currentRev: count(s, "currentRev"),
  };
}

function readAnswer(d: Fields): Answer {
  const why = fields(d["why"], "d.why");
  return {
    status: oneOf(d, "status", STATUSES, "unknown"),
    text: text(d, "msg"),
    code: text(why, "code"),
    detail: text(why, "detail"),
    snapshot: readSnapshot(d["data"]),
  };
}

// -- messages -----------------------------------------------------------------------------------

function readEnvelope(map: Fields, payloadKind: string): Envelope {
  const version = map["v"];
  if (version !== 1) throw new Malformed(`v: ${String(version)} is a schema this page cannot read`);
  if (map["k"] !== payloadKind) throw new Malformed(`k: ${String(map["k"])} under ${payloadKind}`);
  const id = map["id"];
  return {
    id: (id instanceof Uint8Array && uuidText(id)) || "",
    kind: payloadKind,
    time: count(map, "ts"),
    rev: count(map, "rev"),
    seq: count(map, "n"),
    deleted: map["del"] === true,
  };
}

/** `kind` is what the topic says; the message must agree. */
export function decode(payload: Uint8Array, kind: Document["kind"]): Result<Document> {
  if (payload.length > MAX_PAYLOAD)
    return { ok: false, error: `${payload.length} octets, more than ${MAX_PAYLOAD}` };
  try {
    const map = fields(decoder.decode(payload), "the message");
    const env = readEnvelope(map, kind);
    const d = fields(map["d"], "d");
    switch (kind) {
      case "desired":
        return done({ kind, env, body: env.deleted ? undefined : readDesired(d) });
      case "current":
        return done({ kind, env, body: env.deleted ? undefined : readCurrent(d) });
      case "presence":
        return done({ kind, env, body: env.deleted ? undefined : readPresence(d) });
      case "event":
        return done({ kind, env, body: readEvent(d) });
      case "response":
        return done({ kind, env, body: readAnswer(d) });
    }
  } catch (e) {
    // Malformed is ours; RangeError and DecodeError are the decoder's.
    return { ok: false, error: e instanceof Error ? e.message : String(e) };
  }
}

function done(value: Document): Result<Document> {
  return { ok: true, value };
}

function argument(body: RequestBody): Fields {
  switch (body.act) {
    case "desired.patch":
      return { power: body.power };
    case "power.once":
      return { what: body.what, policy: body.policy };
    case "snapshot":
      return {};
  }
}

export interface Outgoing {
  id: Uint8Array;
  now: number;
  source: string;
  body: RequestBody;
}

/** Without a deadline of its own: the server's default does not depend on this machine's clock. */
export function encodeRequest(r: Outgoing): Uint8Array {
  return encoder.encode({
    v: 1,
    id: r.id,
    k: "request",
    ts: r.now,
    src: r.source,
    d: { act: r.body.act, arg: argument(r.body) },
  });
}
