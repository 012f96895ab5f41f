// One simulated machine on the LAN: started, asked over HTTP digest as a console asks, read with
// the XML parser of MPS and RPS in the way in which they use it.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import xml2js from "xml2js";

const md5 = (text) => createHash("md5").update(text).digest("hex");

/** Lines of JSON over the control socket, answered in turn. */
class Control {
  constructor(path) {
    this.socket = createConnection(path);
    this.waiting = [];
    this.socket.on("error", (e) =>
      this.waiting.splice(0).forEach((done) => done({ ok: false, error: e.message })),
    );
    createInterface({ input: this.socket }).on("line", (line) => this.waiting.shift()?.(JSON.parse(line)));
  }

  async ask(what) {
    const answer = await new Promise((resolve) => {
      this.waiting.push(resolve);
      this.socket.write(JSON.stringify(what) + "\n");
    });
    if (!answer.ok) throw new Error(answer.error);
    return answer;
  }
}

export class Machine {
  user = "admin";
  password = "P@ssw0rd-1";
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #challenge = null;
  #count = 0;

  static async start(program, ...options) {
    const machine = new Machine();
    machine.folder = mkdtempSync(join(tmpdir(), "outband-amtsim-"));
    const socket = join(machine.folder, "control");
    machine.process = spawn(
      program,
      [
        "--lan-port",
        "0",
        "--amt-password",
        machine.password,
        "--control",
        `unix:${socket}`,
        "--link-drop-ms",
        "0",
        "--power-ms",
        "1",
        "--off-ms",
        "1",
        "--os-shutdown-ms",
        "1",
        ...options,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    // It says where its control interface is when it can be used.
    await new Promise((resolve, reject) => {
      createInterface({ input: machine.process.stdout }).on("line", (line) => {
        if (line.startsWith("control interface on")) resolve();
      });
      machine.process.once("error", reject);
      machine.process.once("exit", (code) => reject(new Error(`the simulator ended with ${code}`)));
    });
    machine.control = new Control(socket);
    const { machines } = await machine.control.ask({ op: "list" });
    machine.guid = machines[0].guid;
    machine.port = machines[0].lan_port;
    return machine;
  }

  /** What only a person in front of it sees. */
  async truth() {
    return (await this.control.ask({ op: "get", guid: this.guid })).machine;
  }

  /** The local system account, which a host reads from its MEI. */
  async local() {
    const { user, password } = await this.control.ask({ op: "local_account", guid: this.guid });
    return { user, password };
  }

  /** Is that the administrator's password? */
  async hasPassword(password) {
    return (await this.control.ask({ op: "check_password", guid: this.guid, password })).matches;
  }

  /** The truth, as soon as that holds. */
  async until(holds) {
    for (let asked = 0; asked < 50_000; ++asked) {
      const truth = await this.truth();
      if (holds(truth)) return truth;
    }
    throw new Error(`it never came: ${JSON.stringify(await this.truth())}`);
  }

  /** From now on with this account, on new connections. */
  signIn({ user, password, port }) {
    Object.assign(this, { user, password, port });
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#challenge = null;
  }

  async stop() {
    this.control.socket.destroy();
    this.#agent.destroy();
    const running = this.process.exitCode === null && this.process.signalCode === null;
    const ended = running ? new Promise((resolve) => this.process.once("exit", resolve)) : null;
    this.process.kill("SIGTERM");
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  #authorization(body) {
    const { realm, nonce, qop } = this.#challenge;
    const nc = (++this.#count).toString(16).padStart(8, "0");
    const cnonce = md5(`${nonce}${nc}`).slice(0, 16);
    const ha1 = md5(`${this.user}:${realm}:${this.password}`);
    const mode = qop.split(",")[0].trim();
    const ha2 = mode === "auth-int" ? md5(`POST:/wsman:${md5(body)}`) : md5("POST:/wsman");
    const response = md5(`${ha1}:${nonce}:${nc}:${cnonce}:${mode}:${ha2}`);
    return (
      `Digest username="${this.user}",realm="${realm}",nonce="${nonce}",uri="/wsman",` +
      `qop=${mode},response="${response}",nc=${nc},cnonce="${cnonce}"`
    );
  }

  #post(body) {
    return new Promise((resolve, reject) => {
      const headers = {
        "Content-Type": "application/soap+xml; charset=utf-8",
        "Content-Length": Buffer.byteLength(body),
      };
      if (this.#challenge) headers.Authorization = this.#authorization(body);
      const sent = request(
        { host: "127.0.0.1", port: this.port, path: "/wsman", method: "POST", agent: this.#agent, headers },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8");
          answer.on("data", (piece) => (text += piece));
          answer.on("error", reject);
          answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  }

  /** Sends what a builder made; gives status, header and body as MPS sees them. */
  async ask(xml) {
    let answer = await this.#post(xml);
    if (answer.status === 401) {
      const words = Object.fromEntries(
        [...answer.headers["www-authenticate"].matchAll(/(\w+)="([^"]*)"/g)].map(([, k, v]) => [k, v]),
      );
      this.#challenge = words;
      this.#count = 0;
      answer = await this.#post(xml);
    }
    if (answer.status === 401) throw new Error("the machine refuses user and password");
    const parsed = await new xml2js.Parser({
      explicitArray: false,
      tagNameProcessors: [xml2js.processors.stripPrefix],
      valueProcessors: [xml2js.processors.parseNumbers, xml2js.processors.parseBooleans],
    }).parseStringPromise(answer.text);
    const { Header, Body } = parsed.Envelope;
    const asked = (name) => xml.match(new RegExp(`<a:${name}>([^<]*)</a:${name}>`))[1];
    const fault = Body?.Fault;
    if (String(Header.RelatesTo) !== asked("MessageID"))
      throw new Error(`RelatesTo ${Header.RelatesTo} is not ${asked("MessageID")}`);
    if (!fault && Header.Action._ !== `${asked("Action")}Response`)
      throw new Error(`the answer's Action is ${Header.Action._}`);
    if ((answer.status === 400) !== Boolean(fault) || ![200, 400].includes(answer.status))
      throw new Error(`status ${answer.status}: ${answer.text}`);
    return { status: answer.status, fault: fault?.Code.Subcode.Value.replace(/^\w+:/, ""), body: Body };
  }
}
