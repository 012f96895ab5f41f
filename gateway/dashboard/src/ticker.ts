/**
 * A worker that only counts time. Browsers slow the timers of a hidden page down to one a minute,
 * which is too seldom to keep the broker's connection alive; those of a worker they leave alone.
 * (MQTT.js brings one of its own, but starts it from a blob: URL, which our CSP forbids.)
 */
export type TickerOrder = { set: number; every: number } | { clear: number };

const running = new Map<number, ReturnType<typeof setInterval>>();

self.addEventListener("message", (e: MessageEvent<TickerOrder>) => {
  const order = e.data;
  if ("set" in order) {
    running.set(
      order.set,
      setInterval(() => self.postMessage(order.set), order.every),
    );
  } else {
    clearInterval(running.get(order.clear));
    running.delete(order.clear);
  }
});
