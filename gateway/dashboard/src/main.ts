/** The page: signing in, choosing a tenant, and the board. */
import { Api, ApiError, type Tenant, type Ticket } from "./api";
import type { BusState } from "./bus";
import { Answers, confirmed, PowerMenu } from "./dialogs";
import { byId, make, setText } from "./dom";
import { Events } from "./events";
import { nameOf } from "./model";
import { ACTIONS, choice, mayPower, type Action } from "./power";
import { Session } from "./session";
import { Table } from "./table";
import { answerWords } from "./words";

/** sessionStorage: gone with the tab, and not shared with others. */
const KEPT = { token: "outband.token", name: "outband.name", tenant: "outband.tenant" };

const api = new Api();
const table = new Table(() => api.now());
const events = new Events();
const answers = new Answers();
const menu = new PowerMenu();
const asking = new Map<string, string>();

let session: Session | undefined;
let busState: BusState = { kind: "connecting" };
let role = "";
let tenants: Tenant[] = [];

// -- which part of the page is shown ------------------------------------------------------------

type Part = "sign-in" | "choose-tenant" | "app";

function show(part: Part): void {
  for (const p of ["sign-in", "choose-tenant", "app"]) byId(p).hidden = p !== part;
  if (part === "sign-in") byId(byId<HTMLInputElement>("username").value ? "password" : "username").focus();
}

function signOut(why = ""): void {
  leaveTenant();
  for (const key of Object.values(KEPT)) sessionStorage.removeItem(key);
  api.use("", "");
  tenants = [];
  byId<HTMLInputElement>("password").value = "";
  setText(byId("sign-in-problem"), why);
  answers.clear();
  show("sign-in");
}

function leaveTenant(): void {
  session?.stop();
  session = undefined;
  role = "";
  asking.clear();
  menu.close();
  const dialog = byId<HTMLDialogElement>("confirm");
  if (dialog.open) dialog.close("no");
  table.clear();
  events.clear();
}

// -- signing in ---------------------------------------------------------------------------------

byId<HTMLFormElement>("sign-in-form").addEventListener("submit", (e) => {
  e.preventDefault();
  void signIn();
});

async function signIn(): Promise<void> {
  const form = byId<HTMLFormElement>("sign-in-form");
  const button = form.querySelector("button")!;
  const name = byId<HTMLInputElement>("username");
  const password = byId<HTMLInputElement>("password");
  setText(byId("sign-in-problem"), "");
  button.disabled = true;
  try {
    const token = await api.signIn(name.value.trim(), password.value);
    password.value = "";
    sessionStorage.setItem(KEPT.token, token);
    sessionStorage.setItem(KEPT.name, name.value.trim());
    await signedIn(token);
  } catch (e) {
    setText(byId("sign-in-problem"), e instanceof Error ? e.message : String(e));
    password.select();
  } finally {
    button.disabled = false;
  }
}

/** With a token, new or kept: on to the tenant. */
async function signedIn(token: string): Promise<void> {
  api.use(token, "");
  tenants = await api.tenants();
  if (tenants.length === 0) throw new Error("This account belongs to no tenant; ask an administrator.");
  setText(byId("who"), sessionStorage.getItem(KEPT.name) ?? "");
  const kept = tenants.find((t) => t.key === sessionStorage.getItem(KEPT.tenant));
  const only = tenants.length === 1 ? tenants[0] : undefined;
  const chosen = kept ?? only;
  if (chosen) return enter(chosen);
  byId("tenant-list").replaceChildren(
    ...tenants.map((t) => {
      const b = make("button", "", t.name);
      b.type = "button";
      b.addEventListener("click", () => enter(t));
      return b;
    }),
  );
  show("choose-tenant");
}

for (const b of document.querySelectorAll<HTMLButtonElement>(".sign-out"))
  b.addEventListener("click", () => signOut());

// -- one tenant ---------------------------------------------------------------------------------

function enter(tenant: Tenant): void {
  leaveTenant();
  sessionStorage.setItem(KEPT.tenant, tenant.key);
  api.use(sessionStorage.getItem(KEPT.token) ?? "", tenant.key);

  const select = byId<HTMLSelectElement>("tenant");
  select.replaceChildren(...tenants.map((t) => new Option(t.name, t.key, false, t === tenant)));
  select.disabled = tenants.length < 2;
  setText(byId("role"), "");
  table.sayEmpty("Reading the list of machines…");
  show("app");

  const mine: Session = new Session(api, {
    changed: schedule,
    state: (s) => {
      const wasLive = busState.kind === "live";
      busState = s;
      showConnection();
      if (wasLive !== (s.kind === "live")) showEveryRow();
    },
    ticket: (t) => showRole(t),
    listed: (problem) => {
      if (problem) answers.say(`The list of machines could not be read. ${problem}`, "bad");
      if (mine.fleet.machines.size === 0)
        table.sayEmpty("No machines yet. They appear here as soon as they are registered.");
    },
    signedOut: (why) => signOut(`Your sign-in has ended. ${why}`),
  });
  session = mine;
  busState = { kind: "connecting" };
  showConnection();
  void mine.start();
}

byId<HTMLSelectElement>("tenant").addEventListener("change", (e) => {
  const key = (e.target as HTMLSelectElement).value;
  const tenant = tenants.find((t) => t.key === key);
  if (tenant) enter(tenant);
});

function showRole(ticket: Ticket): void {
  if (ticket.role === role) return;
  role = ticket.role;
  setText(byId("role"), role.replace("-", " "));
  byId("app").classList.toggle("looks-only", !mayPower(role));
  showEveryRow();
}

function showEveryRow(): void {
  for (const guid of session?.fleet.machines.keys() ?? []) session!.fleet.dirty.add(guid);
  schedule();
}

// -- drawing ------------------------------------------------------------------------------------

let scheduled = false;

/** However much arrives, the page is drawn once a frame. */
function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    if (!session) return;
    const connected = session.connected;
    const more = table.show(session.fleet, { role, connected, now: api.now(), asking });
    events.show(session.fleet);
    if (more) schedule();
  });
}

setInterval(() => {
  if (document.hidden || !session) return;
  table.tick(api.now());
  if (busState.kind === "waiting") showConnection();
}, 1000);

document.addEventListener("visibilitychange", () => table.tick(api.now()));

function showConnection(): void {
  const box = byId("connection");
  box.dataset["state"] = busState.kind;
  const words = box.querySelector<HTMLElement>(".words")!;
  let countdown = ""; // apart from the words, which are read out when they change
  switch (busState.kind) {
    case "live":
      setText(words, "Live");
      box.title = "What you see follows the machines.";
      break;
    case "connecting":
      setText(words, "Connecting…");
      box.title = "";
      break;
    case "waiting": {
      const left = Math.max(1, Math.ceil((busState.until - Date.now()) / 1000));
      setText(words, "Not connected");
      countdown = `next try in ${left} s`;
      box.title = `${busState.why} What you see is the last known state.`;
      break;
    }
  }
  setText(box.querySelector<HTMLElement>(".countdown")!, countdown);
  byId("app").classList.toggle("stale", busState.kind === "waiting");
}

// -- filter -------------------------------------------------------------------------------------

const filter = byId<HTMLInputElement>("filter");
const onlyDiffering = byId<HTMLInputElement>("only-differing");

function applyFilter(): void {
  table.filter(filter.value, onlyDiffering.checked);
  schedule();
}
filter.addEventListener("input", applyFilter);
onlyDiffering.addEventListener("change", applyFilter);

byId("events").addEventListener("click", (e) => {
  if (!(e.target as Element).closest("button.of")) return;
  const guid = (e.target as Element).closest<HTMLElement>("[data-guid]")?.dataset["guid"];
  if (!guid) return;
  filter.value = filter.value === guid ? "" : guid;
  applyFilter();
});

// -- power --------------------------------------------------------------------------------------

byId("rows").addEventListener("click", (e) => {
  const button = (e.target as Element).closest<HTMLButtonElement>("button[data-action]");
  const guid = button?.closest<HTMLElement>("tr")?.dataset["guid"];
  const machine = guid ? session?.fleet.machines.get(guid) : undefined;
  if (!button || !guid || !machine) return;
  const action = button.dataset["action"];
  if (action === "more") menu.open(button, machine, role, (a) => void power(guid, a));
  else void power(guid, action as Action);
});

async function power(guid: string, action: Action): Promise<void> {
  const mine = session;
  const machine = mine?.fleet.machines.get(guid);
  if (!mine || !machine) return;
  const { hint } = choice(action, machine, role, true);
  if (!(await confirmed(action, machine, hint, api.now())) || mine !== session) return;
  const { label, body } = ACTIONS[action];
  setAsking(guid, `${label}…`);
  let said: HTMLElement | undefined;
  mine.ask(guid, body, (answer) => {
    if (mine !== session) return;
    setAsking(guid, "");
    const name = nameOf(mine.fleet.machines.get(guid) ?? machine);
    const { text, tone } = answerWords(label, name, answer, body.act === "desired.patch");
    said = answers.say(text, tone, said);
  });
}

function setAsking(guid: string, text: string): void {
  if (text) asking.set(guid, text);
  else asking.delete(guid);
  session?.fleet.dirty.add(guid);
  schedule();
}

// -- at the start -------------------------------------------------------------------------------

const kept = sessionStorage.getItem(KEPT.token);
if (kept) {
  signedIn(kept).catch((e: unknown) => {
    if (e instanceof ApiError && e.status === 0) {
      // The token may well be good; a reload will tell when the server is back.
      setText(byId("sign-in-problem"), e.message);
      show("sign-in");
    } else {
      signOut("Your sign-in has ended.");
    }
  });
} else {
  show("sign-in");
}
