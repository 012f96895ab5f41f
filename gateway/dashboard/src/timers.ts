/** Intervals that run on time in a hidden page too; see ticker.ts. */
import type { TickerOrder } from "./ticker";

const callbacks = new Map<number, () => void>();
let worker: Worker | undefined;
let last = 0;

function ticker(): Worker {
  if (!worker) {
    worker = new Worker(new URL("./ticker.ts", import.meta.url), { type: "module" });
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
