/**
 * The connection to the broker: MQTT 5 over a WebSocket of the same origin, with a short-lived
 * ticket as password. Reconnects by itself with full jitter; before the ticket ends it opens a new
 * connection with a new one and only then ends the old, so that no event falls between.
 */
import mqtt, { type IPublishPacket, type MqttClient } from "mqtt";
import { ApiError, type Api, type Ticket } from "./api";
import { CONTENT_TYPE, decode, encodeRequest } from "./codec";
import type { Answer, Document, RequestBody } from "./documents";
import { randomBytes, randomLevel, uuid7, uuidText } from "./ids";
import { steadyTimer } from "./timers";
import { parseTopic, requestTopic, responseTopic, subscriptions, type Topic } from "./topics";

export type BusState =
  | { kind: "connecting" }
  | { kind: "live" }
  /** `until`: when the next attempt is made, by our clock. */
  | { kind: "waiting"; until: number; why: string };

export interface BusHandlers {
  state(s: BusState): void;
  ticket(t: Ticket): void;
  /** State and events; answers go to who asked. */
  document(topic: Exclude<Topic, { kind: "response" }>, doc: Document): void;
  /** A retained document was taken away: the machine was removed. */
  cleared(topic: Exclude<Topic, { kind: "response" }>): void;
  /** A message that could not be read. */
  malformed(topic: string, why: string): void;
  /** The server no longer accepts the sign-in; the bus has stopped. */
  signedOut(why: string): void;
}

const KEEPALIVE_S = 20; // a dead connection is noticed within half a minute
const CONNECT_MS = 10_000;
const BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
const ANSWER_MS = 3_000; // an unanswered request is sent again, under the same id
const MAX_SENDS = 4;
const FINAL_MS = 120_000; // from accepted to the final word
const REQUEST_EXPIRY_S = 60;

interface Pending {
  guid: string;
  id: Uint8Array;
  payload: Uint8Array;
  sends: number;
  timer: ReturnType<typeof setTimeout>;
  answered: (a: Answer) => void;
}

interface Connection {
  client: MqttClient;
  ticket: Ticket;
  closed: Promise<void>;
}

function unanswered(text: string): Answer {
  return { status: "unknown", text, code: "", detail: "", snapshot: undefined };
}

export class Bus {
  private readonly pending = new Map<string, Pending>();
  /** Ours in the path of answers; distinguishes two pages of one person. */
  private readonly clientLevel = `page-${randomLevel()}`;
  private live: Connection | undefined;
  private stopped = false;
  private wake: (() => void) | undefined;

  constructor(
    private readonly api: Api,
    private readonly handlers: BusHandlers,
  ) {}

  start(): void {
    window.addEventListener("online", this.onOnline);
    void this.run();
  }

  stop(): void {
    this.stopped = true;
    window.removeEventListener("online", this.onOnline);
    for (const p of this.pending.values()) clearTimeout(p.timer);
    this.pending.clear();
    this.drop();
    this.wake?.();
  }

  get connected(): boolean {
    return this.live !== undefined;
  }

  /**
   * `answered` is called at least once: with "accepted" and then the final word, with the final
   * word alone, or with "unknown" if nobody answers.
   */
  ask(guid: string, body: RequestBody, answered: (a: Answer) => void): void {
    const now = this.api.now();
    const id = uuid7(now, randomBytes(10));
    const ticket = this.live?.ticket;
    if (!ticket) {
      answered(unanswered("The page is not connected; nothing was sent."));
      return;
    }
    const source = ticket.username.slice(ticket.username.indexOf("/") + 1);
    const payload = encodeRequest({ id, now, source, body });
    const p: Pending = {
      guid,
      id,
      payload,
      sends: 0,
      timer: setTimeout(() => undefined, 0),
      answered,
    };
    this.pending.set(uuidText(id)!, p);
    this.send(p);
  }

  // -- connecting -------------------------------------------------------------------------------

  private readonly onOnline = () => this.wake?.();

  private async run(): Promise<void> {
    let attempt = 0;
    while (!this.stopped) {
      if (!this.live) this.handlers.state({ kind: "connecting" });
      let next: Connection;
      try {
        const ticket = await this.api.ticket();
        if (this.stopped) return;
        next = await this.open(ticket);
      } catch (e) {
        if (this.stopped) return;
        if (e instanceof ApiError && (e.status === 401 || e.status === 403)) {
          this.stop();
          this.handlers.signedOut(e.message);
          return;
        }
        // Full jitter, so that a thousand pages do not come back in the same moment.
        const most = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** attempt++);
        const wait = 250 + Math.random() * most;
        if (!this.live) {
          const why = e instanceof Error ? e.message : String(e);
          this.handlers.state({ kind: "waiting", until: Date.now() + wait, why });
        }
        await this.pause(wait);
        continue;
      }
      if (this.stopped) {
        next.client.end(true);
        return;
      }
      attempt = 0;
      const old = this.live;
      this.live = next;
      old?.client.end(true);
      this.handlers.ticket(next.ticket);
      this.handlers.state({ kind: "live" });
      const lifetime = next.ticket.expiresAt - this.api.now();
      const renewal =
        next.ticket.expiresAt > 0 ? Math.max(5_000, lifetime * (0.75 + Math.random() * 0.1)) : 2 ** 30;
      await Promise.race([next.closed, this.pause(renewal)]);
    }
  }

  /** Ends early when the network comes back or the bus is stopped. */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(end, Math.min(ms, 2 ** 31 - 1));
      const self = this;
      function end() {
        clearTimeout(timer);
        if (self.wake === end) self.wake = undefined;
        resolve();
      }
      this.wake = end;
    });
  }

  /** Connected and subscribed, or an error with a sentence. */
  private open(ticket: Ticket): Promise<Connection> {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const client = mqtt.connect(`${scheme}://${location.host}${ticket.mqttPath}`, {
      protocolVersion: 5,
      clientId: ticket.clientIdPrefix + randomLevel(),
      username: ticket.username,
      password: ticket.password,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_MS,
      reconnectPeriod: 0, // run() decides, with a fresh ticket
      timerVariant: steadyTimer as never, // its type wants DOM timers' handles; ours are numbers
      properties: { sessionExpiryInterval: 0 },
    });
    let closedNow: () => void;
    const closed = new Promise<void>((resolve) => (closedNow = resolve));
    client.on("message", (topic, payload, packet) => this.received(ticket, topic, payload, packet));
    return new Promise((resolve, reject) => {
      let why = "The broker closed the connection.";
      const connection: Connection = { client, ticket, closed };
      const giveUp = setTimeout(() => {
        why = "The broker does not answer.";
        client.end(true);
        reject(new Error(why));
      }, CONNECT_MS);
      client.on("error", (e) => (why = e.message));
      client.on("close", () => {
        clearTimeout(giveUp);
        if (this.live === connection) this.live = undefined;
        reject(new Error(why));
        closedNow();
      });
      client.on("connect", () => {
        const topics = subscriptions(ticket.tenant, ticket.username, this.clientLevel);
        client.subscribe(topics, { qos: 1 }, (error, granted) => {
          clearTimeout(giveUp);
          const refused = granted?.find((g) => g.qos >= 0x80);
          if (!error && !refused) return resolve(connection);
          client.end(true);
          reject(error ?? new Error(`The broker refused the subscription to ${refused!.topic}.`));
        });
      });
    });
  }

  private drop(): void {
    const old = this.live;
    this.live = undefined;
    old?.client.end(true);
  }

  // -- receiving --------------------------------------------------------------------------------

  private received(ticket: Ticket, name: string, payload: Uint8Array, packet: IPublishPacket): void {
    if (this.stopped) return;
    const topic = parseTopic(name, ticket.tenant);
    if (!topic) return; // of a newer server
    if (payload.length === 0) {
      if (topic.kind !== "response") this.handlers.cleared(topic);
      return;
    }
    const type = packet.properties?.contentType;
    if (type !== undefined && type !== CONTENT_TYPE)
      return this.handlers.malformed(name, `content type ${type.slice(0, 80)}`);
    if (topic.kind === "event" && packet.retain) return; // history, not news
    const got = decode(payload, topic.kind);
    if (!got.ok) return this.handlers.malformed(name, got.error);
    if (topic.kind !== "response") return this.handlers.document(topic, got.value);
    const correlation = packet.properties?.correlationData;
    if (got.value.kind === "response" && correlation)
      this.answer(uuidText(correlation) ?? "", got.value.body);
  }

  private answer(id: string, a: Answer): void {
    const p = this.pending.get(id);
    if (!p) return; // answered before, or too late
    clearTimeout(p.timer);
    if (a.status === "accepted" || a.status === "running") {
      p.timer = setTimeout(() => this.pending.delete(id), FINAL_MS);
      p.sends = MAX_SENDS;
    } else {
      this.pending.delete(id);
    }
    p.answered(a);
  }

  // -- sending ----------------------------------------------------------------------------------

  private send(p: Pending): void {
    p.timer = setTimeout(() => {
      if (p.sends < MAX_SENDS) return this.send(p);
      this.pending.delete(uuidText(p.id)!);
      p.answered(unanswered("The server did not answer; look at the machine before you try again."));
    }, ANSWER_MS);
    p.sends++;
    const live = this.live;
    if (!live) return; // the next round, perhaps on a new connection
    const username = live.ticket.username;
    live.client.publish(requestTopic(username, p.guid), p.payload as never, {
      qos: 1,
      properties: {
        contentType: CONTENT_TYPE,
        responseTopic: responseTopic(username, this.clientLevel),
        correlationData: p.id as never, // typed as Buffer; any octets do
        messageExpiryInterval: REQUEST_EXPIRY_S,
      },
    });
  }
}
