/** The page's sentences: states, ages, answers. Pure. */
import type { Answer, LinkState, PowerLevel, PowerTarget } from "./documents";

export const LINK_WORDS: Record<LinkState, string> = {
  up: "Up",
  late: "Late",
  down: "Down",
  unknown: "Unknown",
};

export const LINK_HINTS: Record<LinkState, string> = {
  up: "The machine's tunnel is open.",
  late: "The tunnel is open, but the machine has been silent for a while.",
  down: "The machine has no tunnel.",
  unknown: "The node that had the tunnel is gone; nobody has heard since.",
};

export const LEVEL_WORDS: Record<PowerLevel, string> = {
  on: "On",
  sleep: "Asleep",
  hibernate: "Hibernated",
  off: "Off",
  unknown: "Unknown",
};

/** What was last observed, and that it is no more than that where the machine cannot be asked. */
export function levelWords(level: PowerLevel, link: LinkState): string {
  const words = LEVEL_WORDS[level];
  return level === "unknown" || link === "up" ? words : `${words} (last known)`;
}

export const TARGET_WORDS: Record<PowerTarget, string> = {
  keep: "–",
  on: "On",
  off: "Off",
  sleep: "Sleep",
  hibernate: "Hibernate",
};

/** "4 min"; ages below two seconds are empty, for they are only the clocks' difference. */
export function duration(ms: number): string {
  const s = Math.floor(ms / 1000);
  if (s < 2) return "";
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 2 * 86_400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} days`;
}

/** How old something is: "just now", "4 min ago"; empty for an unknown time (0). */
export function ago(at: number, now: number): string {
  if (at <= 0) return "";
  const d = duration(now - at);
  return d ? `${d} ago` : "just now";
}

/** How long something has lasted: "for 4 min". */
export function lasting(since: number, now: number): string {
  if (since <= 0) return "";
  const d = duration(now - since);
  return d ? `for ${d}` : "just now";
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function clockTime(at: number): string {
  return at > 0 ? clock.format(at) : "";
}

export function fullTime(at: number): string {
  return at > 0 ? moment.format(at) : "";
}

export type Tone = "good" | "wait" | "bad";

/** Nothing was sent to the machine, so nothing failed there. */
const REFUSALS = ["transition-refused", "unsupported", "forbidden"];

/**
 * One answer of the server, as it is shown to who asked. A wish is done when it is stored; that the
 * machine follows is seen in its row, so "accepted" is the honest word for it.
 */
export function answerWords(
  what: string,
  machine: string,
  a: Answer,
  wish: boolean,
): { text: string; tone: Tone } {
  const verdict = {
    accepted: "accepted",
    running: "sent to the machine",
    done: wish ? "accepted" : "done",
    failed: REFUSALS.includes(a.code) ? "refused" : "failed",
    rejected: "refused",
    expired: "expired",
    unknown: "outcome unknown",
  }[a.status];
  const tone = a.status === "done" ? "good" : a.status === "accepted" || a.status === "running" ? "wait" : "bad";
  const reason = sentence(a.text || a.detail || (tone === "bad" ? a.code : ""));
  const repeats = reason.toLowerCase() === `${verdict}.`;
  return { text: `${machine}: ${what} ${verdict}.${reason && !repeats ? ` ${reason}` : ""}`, tone };
}

/** "op/alice" is Alice; others keep what they are: "ext/ha". */
export function who(principal: string): string {
  return principal.startsWith("op/") ? principal.slice(3) : principal;
}

/** Capital first letter, full stop at the end. */
export function sentence(text: string): string {
  const t = text.trim();
  if (!t) return "";
  const s = t[0]!.toUpperCase() + t.slice(1);
  return /[.!?]$/.test(s) ? s : `${s}.`;
}
