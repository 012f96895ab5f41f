/**
 * What the page knows of the machines. The functions are pure: (machine, document) -> machine; the
 * same object comes back when the document says nothing new, so that callers compare with ===.
 *
 * Order is by revision, never by arrival or clock: a document is taken iff its revision is higher
 * than the one held. Events are numbered per (machine, class) without gaps.
 */
import type {
  Current,
  Desired,
  Document,
  Link,
  PowerLevel,
  PowerTarget,
  Snapshot,
} from "./documents";

/** From the REST API: what the bus does not carry. */
export interface DeviceRecord {
  guid: string;
  hostname: string;
  friendlyName: string;
  tags: string[];
}

/** A document with its revision; -1: never received. */
export interface Held<T> {
  rev: number;
  body: T | undefined;
}

export interface Machine {
  guid: string;
  record: DeviceRecord | undefined;
  desired: Held<Desired>;
  current: Held<Current>;
  presence: Held<Link>;
  /** Last event number per class. */
  sequences: Readonly<Record<string, number>>;
}

const nothing = { rev: -1, body: undefined };

export function unheardOf(guid: string): Machine {
  return {
    guid,
    record: undefined,
    desired: nothing,
    current: nothing,
    presence: nothing,
    sequences: {},
  };
}

export type StateDocument = Extract<Document, { kind: "desired" | "current" | "presence" }>;

export function withState(m: Machine, doc: StateDocument): Machine {
  if (doc.env.rev <= m[doc.kind].rev) return m;
  return { ...m, [doc.kind]: { rev: doc.env.rev, body: doc.body } };
}

export function withSnapshot(m: Machine, s: Snapshot): Machine {
  let next = m;
  if (s.desiredRev > m.desired.rev)
    next = { ...next, desired: { rev: s.desiredRev, body: s.desired } };
  if (s.currentRev > m.current.rev)
    next = { ...next, current: { rev: s.currentRev, body: s.current } };
  return next;
}

export function withRecord(m: Machine, record: DeviceRecord): Machine {
  return { ...m, record };
}

export interface EventTaken {
  machine: Machine;
  /** false: seen before. */
  fresh: boolean;
  /** How many between the last one and this one never came. */
  missed: number;
}

export function withEvent(m: Machine, cls: string, seq: number): EventTaken {
  if (seq === 0) return { machine: m, fresh: true, missed: 0 }; // unnumbered
  const last = m.sequences[cls];
  if (last !== undefined && seq <= last) return { machine: m, fresh: false, missed: 0 };
  return {
    machine: { ...m, sequences: { ...m.sequences, [cls]: seq } },
    fresh: true,
    missed: last === undefined ? 0 : seq - last - 1,
  };
}

// -- what follows from it -----------------------------------------------------------------------

export function nameOf(m: Machine): string {
  return m.record?.friendlyName || m.record?.hostname || shortGuid(m.guid);
}

export function shortGuid(guid: string): string {
  return guid.slice(0, 8);
}

/**
 * Presence and current both tell about the link; the newer tunnel counts, then the later word.
 * undefined: nobody has said anything.
 */
export function linkOf(m: Machine): Link | undefined {
  const a = m.current.body?.link;
  const b = m.presence.body;
  if (!a || !b) return a ?? b;
  if (a.epoch !== b.epoch) return a.epoch > b.epoch ? a : b;
  return b.since > a.since ? b : a;
}

export function levelOf(m: Machine): PowerLevel {
  return m.current.body?.level ?? "unknown";
}

export function wantedOf(m: Machine): PowerTarget {
  return m.desired.body?.target ?? "keep";
}

export interface Difference {
  reasons: string[];
  /** Milliseconds UTC; 0: not known. */
  since: number;
}

/**
 * Why wish and reality differ; undefined: they do not. Conditions that are not about the wish
 * (credentials) count too: something needs a hand.
 */
export function differenceOf(m: Machine): Difference | undefined {
  const failing = (m.current.body?.conditions ?? []).filter((c) => !c.ok);
  if (failing.length > 0) {
    const since = failing.map((c) => c.since).filter((t) => t > 0);
    return {
      reasons: failing.map((c) => c.reason || c.code || c.type),
      since: since.length > 0 ? Math.min(...since) : 0,
    };
  }
  const wanted = wantedOf(m);
  if (wanted === "keep" || wanted === levelOf(m)) return undefined;
  const seen = (m.current.body?.desiredRev ?? 0) >= m.desired.rev;
  return {
    reasons: [seen ? "No reason was told." : "Stored; not acted on yet."],
    since: 0,
  };
}

// -- all of them --------------------------------------------------------------------------------

export interface EventLine {
  id: number;
  at: number;
  guid: string;
  cls: string;
  text: string;
  by: string;
}

/** So many events are kept; older ones are in the server's log. */
export const MAX_EVENTS = 500;

export type Heard =
  | { what: "nothing" }
  | { what: "changed" }
  /** Not registered, as far as the page knows. */
  | { what: "new" }
  | { what: "gone" }
  /** Events were lost on the way: ask for a snapshot. */
  | { what: "gap" };

/** The machines of one tenant and what happened to them; `dirty` is what the view has not shown. */
export class Fleet {
  readonly machines = new Map<string, Machine>();
  /** Oldest first. */
  readonly events: EventLine[] = [];
  readonly dirty = new Set<string>();
  private lastLine = 0;

  state(guid: string, doc: StateDocument): Heard {
    const before = this.machines.get(guid);
    if (doc.env.deleted && doc.kind !== "presence") {
      if (!before || doc.env.rev <= before[doc.kind].rev || before[doc.kind].rev < 0)
        return { what: "nothing" };
      this.remove(guid);
      return { what: "gone" };
    }
    if (!before && doc.env.deleted) return { what: "nothing" };
    const after = withState(before ?? unheardOf(guid), doc);
    if (after === before) return { what: "nothing" };
    this.put(after);
    return { what: before ? "changed" : "new" };
  }

  event(guid: string, cls: string, doc: Extract<Document, { kind: "event" }>): Heard {
    const before = this.machines.get(guid);
    const taken = withEvent(before ?? unheardOf(guid), cls, doc.env.seq);
    if (!taken.fresh) return { what: "nothing" };
    this.machines.set(guid, taken.machine); // a number is nothing to be shown
    if (taken.missed > 0) {
      const lost = taken.missed === 1 ? "One event was" : `${taken.missed} events were`;
      this.note(doc.env.time, guid, "gap", `${lost} lost on the way to this page.`, "");
    }
    this.note(doc.env.time, guid, cls, doc.body.text, doc.body.by);
    if (!before) this.dirty.add(guid);
    return { what: before ? (taken.missed > 0 ? "gap" : "changed") : "new" };
  }

  snapshot(guid: string, s: Snapshot): void {
    const before = this.machines.get(guid);
    if (!before) return;
    const after = withSnapshot(before, s);
    if (after !== before) this.put(after);
  }

  record(record: DeviceRecord): void {
    this.put(withRecord(this.machines.get(record.guid) ?? unheardOf(record.guid), record));
  }

  remove(guid: string): void {
    if (this.machines.delete(guid)) this.dirty.add(guid);
  }

  note(at: number, guid: string, cls: string, text: string, by: string): void {
    this.events.push({ id: ++this.lastLine, at, guid, cls, text, by });
    if (this.events.length > MAX_EVENTS) this.events.splice(0, this.events.length - MAX_EVENTS);
  }

  clear(): void {
    this.machines.clear();
    this.events.length = 0;
    this.dirty.clear();
  }

  private put(m: Machine): void {
    this.machines.set(m.guid, m);
    this.dirty.add(m.guid);
  }
}
