/** The REST calls of the page. The token is in the Authorization header, never in a URL. */
import type { DeviceRecord } from "./model";

/** `status` 0: the server could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface Ticket {
  username: string;
  password: string;
  clientIdPrefix: string;
  /** Milliseconds UTC, by the server's clock. */
  expiresAt: number;
  tenant: string;
  role: string;
  mqttPath: string;
}

export interface Tenant {
  key: string;
  name: string;
}

type Fields = Record<string, unknown>;

const PAGE = 100;
const TIMEOUT_MS = 15_000;

function str(v: unknown): string {
  return typeof v === "string" ? v : "";
}

/** The one sentence in whichever of MPS's error forms the server used. */
export function errorWords(status: number, body: unknown): string {
  const b = (typeof body === "object" && body !== null ? body : {}) as Fields;
  const first = Array.isArray(b["errors"]) ? ((b["errors"][0] ?? {}) as Fields) : {};
  return (
    str(b["errorDescription"]) ||
    str(b["message"]) ||
    str(first["msg"]) ||
    str(b["error"]) ||
    `The server answered ${status}.`
  );
}

/** Seconds or milliseconds since 1970, or RFC 3339. */
export function timeOf(v: unknown): number {
  if (typeof v === "number") return v < 1e11 ? v * 1000 : v;
  const t = Date.parse(str(v));
  return Number.isNaN(t) ? 0 : t;
}

export function recordOf(v: unknown): DeviceRecord | undefined {
  const d = (typeof v === "object" && v !== null ? v : {}) as Fields;
  const guid = str(d["guid"]).toLowerCase();
  if (!guid) return undefined;
  return {
    guid,
    hostname: str(d["hostname"]),
    friendlyName: str(d["friendlyName"]),
    tags: Array.isArray(d["tags"]) ? d["tags"].filter((t) => typeof t === "string") : [],
  };
}

export class Api {
  private token = "";
  private tenant = "";
  /** Server's clock minus ours, in milliseconds, from the Date header (one second coarse). */
  skew = 0;

  use(token: string, tenant: string): void {
    this.token = token;
    this.tenant = tenant;
  }

  /** What the server's clock shows. */
  now(): number {
    return Date.now() + this.skew;
  }

  async signIn(username: string, password: string): Promise<string> {
    const body = await this.call("POST", "/api/v1/authorize", { username, password });
    const token = str((body as Fields)["token"]);
    if (!token) throw new ApiError(500, "The server sent no token.");
    return token;
  }

  async tenants(): Promise<Tenant[]> {
    const body = await this.call("GET", "/api/v1/tenants");
    const rows = Array.isArray(body) ? body : ((body as Fields)["data"] ?? []);
    if (!Array.isArray(rows)) return [];
    return rows
      .map((r: Fields) => ({ key: str(r["key"]), name: str(r["displayName"]) || str(r["key"]) }))
      .filter((t) => t.key);
  }

  async ticket(): Promise<Ticket> {
    const t = (await this.call("POST", "/api/v1/authorize/bus")) as Fields;
    return {
      username: str(t["username"]),
      password: str(t["password"]),
      clientIdPrefix: str(t["clientIdPrefix"]),
      expiresAt: timeOf(t["expiresAt"]),
      tenant: str(t["tenant"]),
      role: str(t["role"]),
      mqttPath: str(t["mqttPath"]) || "/mqtt",
    };
  }

  /** All machines of the tenant, page by page; `got` sees each page as it comes. */
  async devices(got: (page: DeviceRecord[]) => void): Promise<void> {
    for (let skip = 0; ; skip += PAGE) {
      const body = (await this.call(
        "GET",
        `/api/v1/devices?$top=${PAGE}&$skip=${skip}&$count=true`,
      )) as Fields;
      const rows = Array.isArray(body["data"]) ? body["data"] : [];
      got(rows.map(recordOf).filter((r) => r !== undefined));
      const total = typeof body["totalCount"] === "number" ? body["totalCount"] : 0;
      if (rows.length < PAGE || skip + rows.length >= total) return;
    }
  }

  /** undefined: there is no such machine in this tenant. */
  async device(guid: string): Promise<DeviceRecord | undefined> {
    try {
      return recordOf(await this.call("GET", `/api/v1/devices/${encodeURIComponent(guid)}`));
    } catch (e) {
      if (e instanceof ApiError && e.status === 404) return undefined;
      throw e;
    }
  }

  private async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (this.token) headers["authorization"] = `Bearer ${this.token}`;
    if (this.tenant) headers["x-tenant-id"] = this.tenant;
    if (body !== undefined) headers["content-type"] = "application/json";
    let response: Response;
    let text: string;
    try {
      response = await fetch(path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch {
      throw new ApiError(0, "The server cannot be reached.");
    }
    const date = Date.parse(response.headers.get("date") ?? "");
    // Coarse to the second, so only a real difference counts.
    if (!Number.isNaN(date)) this.skew = Math.abs(date - Date.now()) > 2000 ? date - Date.now() : 0;
    let parsed: unknown = {};
    try {
      if (text) parsed = JSON.parse(text);
    } catch {
      if (response.ok) throw new ApiError(response.status, "The server's answer is not JSON.");
    }
    if (!response.ok) throw new ApiError(response.status, errorWords(response.status, parsed));
    return parsed;
  }
}
