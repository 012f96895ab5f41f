/** Intervals that run on time in a hidden page too; see ticker.ts. */
import type { TickerOrder } from "./ticker";
import tickerUrl from "./ticker?worker&url";

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): {
    createScriptURL(url: string): string;
  };
}

/** The only script URL the page makes; under `require-trusted-types-for` it has to be vouched for. */
function trusted(url: string): string {
  const policies = (window as { trustedTypes?: Policies }).trustedTypes;
  if (!policies) return url;
  return policies
    .createPolicy("outband-ticker", { createScriptURL: (u) => (u === tickerUrl ? u : "") })
    .createScriptURL(url);
}

const callbacks = new Map<number, () => void>();
let worker: Worker | undefined;
let last = 0;

function ticker(): Worker {
  if (!worker) {
    worker = new Worker(trusted(tickerUrl), { type: "module" });
    worker.addEventListener("message", (e: MessageEvent<number>) => callbacks.get(e.data)?.());
  }
  return worker;
}

/** The shape MQTT.js wants for its `timerVariant`. */
export const steadyTimer = {
  set(callback: () => void, every: number): number {
    const id = ++last;
    callbacks.set(id, callback);
    ticker().postMessage({ set: id, every } satisfies TickerOrder);
    return id;
  },
  clear(id: unknown): void {
    if (typeof id !== "number" || !callbacks.delete(id)) return;
    ticker().postMessage({ clear: id } satisfies TickerOrder);
  },
};
