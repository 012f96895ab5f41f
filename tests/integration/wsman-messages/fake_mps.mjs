// As much of a management presence server as a machine needs to say "connected": TLS, and APF up to
// the last announced port (messages as in MPS src/amt/APFProcessor.ts).
import { createServer } from "node:tls";

const name = (octets, at) => {
  const length = octets.readUInt32BE(at);
  return octets.length < at + 4 + length
    ? null
    : { text: octets.toString("latin1", at + 4, at + 4 + length), end: at + 4 + length };
};

export class FakeMps {
  /** Who signed in, with what: {user, password}. */
  logins = [];
  /** Tunnels that are open now. */
  tunnels = new Set();

  static async start(options) {
    const mps = new FakeMps();
    mps.server = createServer(options, (socket) => mps.#serve(socket));
    mps.server.on("tlsClientError", (e) => (mps.error = e.message));
    await new Promise((resolve) => mps.server.listen(0, "127.0.0.1", resolve));
    mps.port = mps.server.address().port;
    return mps;
  }

  stop() {
    for (const socket of this.tunnels) socket.destroy();
    this.server.close();
  }

  #serve(socket) {
    this.tunnels.add(socket);
    socket.on("close", () => this.tunnels.delete(socket));
    socket.on("error", () => socket.destroy());
    let waiting = Buffer.alloc(0);
    socket.on("data", (octets) => {
      waiting = Buffer.concat([waiting, octets]);
      for (let used; waiting.length > 0 && (used = this.#take(waiting, socket)) > 0; )
        waiting = waiting.subarray(used);
    });
  }

  /** Octets of the first message; 0: it is not here yet. */
  #take(m, socket) {
    const service = () => name(m, 1);
    switch (m[0]) {
      case 192: // PROTOCOLVERSION
        return m.length < 93 ? 0 : 93;
      case 5: {
        const asked = m.length < 5 ? null : service();
        if (!asked) return 0;
        socket.write(Buffer.concat([Buffer.from([6]), m.subarray(1, asked.end)]));
        return asked.end;
      }
      case 50: {
        const user = m.length < 5 ? null : name(m, 1);
        const to = user && m.length >= user.end + 4 ? name(m, user.end) : null;
        const method = to && m.length >= to.end + 4 ? name(m, to.end) : null;
        const password = method && m.length >= method.end + 5 ? name(m, method.end + 1) : null;
        if (!password) return 0;
        this.logins.push({ user: user.text, password: password.text });
        socket.write(Buffer.from([52]));
        return password.end;
      }
      case 80: {
        const what = m.length < 5 ? null : name(m, 1);
        const address = what && m.length >= what.end + 5 ? name(m, what.end + 1) : null;
        if (!address || m.length < address.end + 4) return 0;
        socket.write(Buffer.concat([Buffer.from([81]), m.subarray(address.end, address.end + 4)]));
        return address.end + 4;
      }
      case 208:
        if (m.length < 5) return 0;
        socket.write(Buffer.concat([Buffer.from([209]), m.subarray(1, 5)]));
        return 5;
      default:
        socket.destroy();
        return 0;
    }
  }
}
