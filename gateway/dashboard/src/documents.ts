/** What travels on the bus, as messages/domain/documents.hpp defines it. Times: milliseconds UTC. */

export type PowerTarget = "keep" | "on" | "off" | "sleep" | "hibernate";
export type PowerPolicy = "ordered" | "immediate";
export type PowerLevel = "unknown" | "on" | "sleep" | "hibernate" | "off";
export type PowerOnce = "reset" | "cycle";
export type LinkState = "up" | "late" | "down" | "unknown";
export type RequestStatus = "accepted" | "running" | "done" | "failed" | "rejected" | "expired" | "unknown";

export interface Desired {
  target: PowerTarget;
  policy: PowerPolicy;
}

export interface Condition {
  type: string;
  ok: boolean;
  code: string;
  reason: string;
  since: number;
}

export interface Link {
  state: LinkState;
  epoch: number;
  since: number;
  why: string;
}

export interface Current {
  level: PowerLevel;
  since: number;
  observed: number;
  link: Link;
  version: string;
  desiredRev: number;
  conditions: Condition[];
}

export interface DeviceEvent {
  type: string;
  text: string;
  by: string;
}

export interface Answer {
  status: RequestStatus;
  text: string;
  /** The stable code of the problem, "transition-refused"; empty if there is none. */
  code: string;
  detail: string;
  snapshot: Snapshot | undefined;
}

export interface Snapshot {
  desired: Desired;
  desiredRev: number;
  current: Current;
  currentRev: number;
}

export interface Envelope {
  id: string;
  kind: string;
  time: number;
  rev: number;
  seq: number;
  deleted: boolean;
}

export type StateKind = "desired" | "current" | "presence";

/** One message, understood. `deleted` documents have no body. */
export type Document =
  | { kind: "desired"; env: Envelope; body: Desired | undefined }
  | { kind: "current"; env: Envelope; body: Current | undefined }
  | { kind: "presence"; env: Envelope; body: Link | undefined }
  | { kind: "event"; env: Envelope; body: DeviceEvent }
  | { kind: "response"; env: Envelope; body: Answer };

export type RequestBody =
  | { act: "desired.patch"; power: { target?: PowerTarget; policy?: PowerPolicy } }
  | { act: "power.once"; what: PowerOnce; policy: PowerPolicy }
  | { act: "snapshot" };
