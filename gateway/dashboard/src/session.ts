/**
 * One stay in one tenant: its machines, its connection, and what is asked of them. Ends with
 * stop(); a new tenant or a new sign-in is a new session.
 */
import { ApiError, type Api, type Ticket } from "./api";
import { Bus, type BusState } from "./bus";
import { Fleet } from "./model";
import type { Answer, Document, RequestBody } from "./documents";
import type { Topic } from "./topics";

export interface SessionHandlers {
  /** Something in the fleet is dirty, or there are new events. */
  changed(): void;
  state(s: BusState): void;
  ticket(t: Ticket): void;
  /** All records have been read, or could not be. */
  listed(problem: string): void;
  signedOut(why: string): void;
}

/** Records asked for one by one at a time; beyond that the whole list is read again. */
const LOOKUPS = 20;
const LOOKUP_MS = 500;
/** Snapshots after lost events, at most so many a while; the documents are retained anyway. */
const SNAPSHOTS = 20;
const SNAPSHOT_MS = 10_000;

export class Session {
  readonly fleet = new Fleet();
  private readonly bus: Bus;
  private readonly lookups = new Set<string>();
  private lookupTimer: ReturnType<typeof setTimeout> | undefined;
  private snapshots: number[] = [];
  private stopped = false;
  private complained = 0;

  constructor(
    private readonly api: Api,
    private readonly handlers: SessionHandlers,
  ) {
    this.bus = new Bus(api, {
      state: (s) => handlers.state(s),
      ticket: (t) => handlers.ticket(t),
      document: (topic, doc) => this.heard(topic, doc),
      cleared: (topic) => this.cleared(topic),
      malformed: (topic, why) => this.malformed(topic, why),
      signedOut: (why) => handlers.signedOut(why),
    });
  }

  async start(): Promise<void> {
    await this.list(); // names first, so that events speak of machines by name
    if (!this.stopped) this.bus.start();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.lookupTimer);
    this.bus.stop();
  }

  get connected(): boolean {
    return this.bus.connected;
  }

  ask(guid: string, body: RequestBody, answered: (a: Answer) => void): void {
    this.bus.ask(guid, body, answered);
  }

  private async list(): Promise<void> {
    let problem = "";
    try {
      await this.api.devices((page) => {
        if (this.stopped) return;
        for (const record of page) this.fleet.record(record);
        this.handlers.changed();
      });
    } catch (e) {
      problem = e instanceof Error ? e.message : String(e);
      if (e instanceof ApiError && e.status === 401 && !this.stopped)
        return this.handlers.signedOut(problem);
    }
    if (!this.stopped) this.handlers.listed(problem);
  }

  private heard(topic: Exclude<Topic, { kind: "response" }>, doc: Document): void {
    const guid = topic.guid;
    let heard;
    if (topic.kind === "event") {
      if (doc.kind !== "event") return;
      heard = this.fleet.event(guid, topic.cls, doc);
      // A registration or a new name: the bus carries no records.
      if (topic.cls === "config") this.lookUp(guid);
    } else {
      if (doc.kind === "event" || doc.kind === "response") return;
      heard = this.fleet.state(guid, doc);
    }
    if (heard.what === "nothing") return;
    if (heard.what === "new" || heard.what === "gone") this.lookUp(guid);
    if (heard.what === "gap") this.resync(guid);
    this.handlers.changed();
  }

  private cleared(topic: Exclude<Topic, { kind: "response" }>): void {
    if (topic.kind === "event" || topic.kind === "presence") return;
    if (!this.fleet.machines.has(topic.guid)) return;
    this.fleet.remove(topic.guid);
    this.lookUp(topic.guid); // it may be registered all the same
    this.handlers.changed();
  }

  /** Asks for what REST knows about a machine, a little later and together with others. */
  private lookUp(guid: string): void {
    this.lookups.add(guid);
    this.lookupTimer ??= setTimeout(() => void this.lookUpNow(), LOOKUP_MS);
  }

  private async lookUpNow(): Promise<void> {
    const asked = [...this.lookups];
    this.lookups.clear();
    try {
      if (asked.length > LOOKUPS) {
        await this.list();
      } else {
        for (const guid of asked) {
          const record = await this.api.device(guid);
          if (this.stopped) return;
          if (record) this.fleet.record(record);
          else this.fleet.remove(guid);
        }
      }
    } catch {
      // Names are missing until the next look-up; GUIDs serve meanwhile.
    }
    this.lookupTimer = undefined;
    if (this.stopped) return;
    if (this.lookups.size > 0) this.lookUp([...this.lookups][0]!);
    this.handlers.changed();
  }

  private resync(guid: string): void {
    const now = Date.now();
    this.snapshots = this.snapshots.filter((at) => now - at < SNAPSHOT_MS);
    if (this.snapshots.length >= SNAPSHOTS) return;
    this.snapshots.push(now);
    this.bus.ask(guid, { act: "snapshot" }, (a) => {
      if (!a.snapshot || this.stopped) return;
      this.fleet.snapshot(guid, a.snapshot);
      this.handlers.changed();
    });
  }

  /** A defect or a newer server: for the console, and not without end. */
  private malformed(topic: string, why: string): void {
    if (this.complained++ < 20) console.warn(`${topic} could not be read: ${why}`);
  }
}
