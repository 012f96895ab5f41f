/**
 * Which power buttons a machine has, and what each asks for. Pure.
 *
 * The server decides (messages/domain/power.cpp); the page only keeps people from asking for
 * nothing. A button is off when the role does not allow it, the page has no connection, or the wish
 * is already fulfilled. Where the observed state makes a refusal likely, the button stays usable,
 * for the observation may be old, and `hint` says what to expect.
 */
import type { RequestBody } from "./documents";
import { levelOf, linkOf, wantedOf, type Machine } from "./model";

export type Action =
  | "on"
  | "off"
  | "off-now"
  | "reset"
  | "cycle"
  | "sleep"
  | "hibernate"
  | "keep";

export interface Choice {
  enabled: boolean;
  /** What stands against it; empty: nothing. */
  hint: string;
}

export interface ActionKind {
  label: string;
  /** What is asked before it is sent; empty: nothing. */
  confirm: string;
  body: RequestBody;
}

export const ACTIONS: Record<Action, ActionKind> = {
  on: {
    label: "On",
    confirm: "",
    body: { act: "desired.patch", power: { target: "on", policy: "ordered" } },
  },
  off: {
    label: "Off",
    confirm: "The operating system is asked to shut down; if it does not, power is cut.",
    body: { act: "desired.patch", power: { target: "off", policy: "ordered" } },
  },
  "off-now": {
    label: "Off now",
    confirm: "Power is cut at once. Work that is not saved is lost.",
    body: { act: "desired.patch", power: { target: "off", policy: "immediate" } },
  },
  reset: {
    label: "Reset",
    confirm: "The machine restarts. Work that is not saved may be lost.",
    body: { act: "power.once", what: "reset", policy: "ordered" },
  },
  cycle: {
    label: "Power cycle",
    confirm: "Power is cut and comes back. Work that is not saved is lost.",
    body: { act: "power.once", what: "cycle", policy: "ordered" },
  },
  sleep: {
    label: "Sleep",
    confirm: "",
    body: { act: "desired.patch", power: { target: "sleep", policy: "ordered" } },
  },
  hibernate: {
    label: "Hibernate",
    confirm: "",
    body: { act: "desired.patch", power: { target: "hibernate", policy: "ordered" } },
  },
  keep: {
    label: "Withdraw wish",
    confirm: "",
    body: { act: "desired.patch", power: { target: "keep", policy: "ordered" } },
  },
};

/** Roles that may ask for power; the server's table is messages/domain/roles.cpp. */
export function mayPower(role: string): boolean {
  return role === "operator" || role === "admin" || role === "site-admin";
}

const no = (hint: string): Choice => ({ enabled: false, hint });
const yes = (hint = ""): Choice => ({ enabled: true, hint });

export function choice(action: Action, m: Machine, role: string, connected: boolean): Choice {
  if (!mayPower(role)) return no("Your role may only look.");
  if (!connected) return no("The page is not connected.");
  const level = levelOf(m);
  const wanted = wantedOf(m);
  const link = linkOf(m)?.state ?? "unknown";
  switch (action) {
    case "keep":
      return wanted === "keep" ? no("Nothing is wished for.") : yes();
    case "reset":
    case "cycle":
      if (level === "off") return yes("It was last seen off, so this is likely to be refused.");
      if (level === "hibernate")
        return yes("It was last seen hibernated, so this is likely to be refused.");
      return link === "down" ? yes("It has no tunnel, so this is likely to be refused.") : yes();
    case "on":
    case "off":
    case "off-now": {
      const target = action === "on" ? "on" : "off";
      if (level === target && wanted === target) return no(`It is ${target}, as wished.`);
      return link === "down" ? yes("It has no tunnel; the wish is kept until it has.") : yes();
    }
    case "sleep":
    case "hibernate":
      if (level === action && wanted === action) return no("It is, as wished.");
      return level === "on" || level === "unknown" || level === action
        ? yes()
        : yes("It was last seen not running, so this is likely to be refused.");
  }
}
