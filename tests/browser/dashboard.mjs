// An operator's visit: sign in, see the machines live, power one off, be refused a reset of it,
// power it on again, sign out.
//
//   OUTBAND_URL       https://host:port of a running outbandd
//   OUTBAND_USER      an account with the role operator or above
//   OUTBAND_PASSWORD
//   OUTBAND_DEVICE    GUID of a connected machine that is on; default: the first such row
//   OUTBAND_TENANT    which tenant, if the account has several; default: the first
//   OUTBAND_SHOTS     a directory for screenshots; default: none are taken
import { expect, step, summary, withBrowser } from "./harness.mjs";

const url = process.env.OUTBAND_URL;
const user = process.env.OUTBAND_USER;
const password = process.env.OUTBAND_PASSWORD;
if (!url || !user || !password) {
  console.error("OUTBAND_URL, OUTBAND_USER and OUTBAND_PASSWORD must be set");
  process.exit(2);
}
/** Ordered power-off: 30 s for the operating system, 20 s for the hardware, and some air. */
const POWER_MS = 90_000;
const ANSWER_MS = 15_000;

await withBrowser(async (context) => {
  const page = await context.newPage();
  page.setDefaultTimeout(ANSWER_MS);

  const urls = [];
  const complaints = [];
  const sockets = new Set();
  page.on("request", (r) => urls.push(r.url()));
  page.on("websocket", (ws) => {
    urls.push(ws.url());
    sockets.add(ws);
    ws.on("close", () => sockets.delete(ws));
  });
  page.on("console", (m) => {
    // The browser itself reports the refused sign-in below.
    if (m.type() === "error" && !/status of 401/.test(m.text())) complaints.push(m.text());
  });
  page.on("pageerror", (e) => complaints.push(String(e)));

  const shot = async (name) => {
    const to = process.env.OUTBAND_SHOTS;
    if (to) await page.screenshot({ path: `${to}/${name}.png` });
  };
  const signIn = async (secret) => {
    await page.getByLabel("User name").fill(user);
    await page.getByLabel("Password").fill(secret);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  const answer = (words) => page.locator("#answers .answer", { hasText: words }).first();
  const fromMenu = async (row, item) => {
    await row.getByRole("button", { name: /^More power actions/ }).click();
    await page.getByRole("menuitem", { name: item }).click();
  };
  const confirm = (label) => page.locator("#confirm").getByRole("button", { name: label }).click();

  let row;
  let guid = process.env.OUTBAND_DEVICE?.toLowerCase();
  let name;

  await step("a wrong password is refused with words", async () => {
    await page.goto(url);
    await signIn(`${password}-not`);
    await page.locator("#sign-in-problem:not(:empty)").waitFor();
    await shot("sign-in");
  });

  await step("the right one leads to the machines", async () => {
    await signIn(password);
    await page.locator("#choose-tenant:not([hidden]), #app:not([hidden])").waitFor();
    if (await page.locator("#choose-tenant").isVisible()) {
      const tenants = page.locator("#tenant-list button");
      const wanted = process.env.OUTBAND_TENANT;
      await (wanted ? tenants.filter({ hasText: wanted }) : tenants).first().click();
    }
    await page.locator('#connection[data-state="live"]').waitFor();
  });

  await step("a connected machine that is on is in the table", async () => {
    const which = guid ? `[data-guid="${guid}"]` : "";
    const found = page.locator(`#rows tr${which}[data-link="up"][data-actual="on"]`).first();
    await found.waitFor();
    guid = await found.getAttribute("data-guid");
    row = page.locator(`#rows tr[data-guid="${guid}"]`);
    name = await row.locator(".name").textContent();
    expect((await row.locator(".c-seen").textContent()).trim(), "the observation has no age");
    await shot("machines");
  });

  await step("the filter leaves only what it names", async () => {
    await page.getByLabel("Filter machines").fill(guid);
    const others = page.locator(`#rows tr:not([data-guid="${guid}"]):visible`);
    await page.waitForFunction(
      (g) => [...document.querySelectorAll("#rows tr")].every((r) => r.hidden !== (r.dataset.guid === g)),
      guid,
    );
    expect((await others.count()) === 0, "another machine is still shown");
    await page.getByLabel("Filter machines").fill("");
  });

  await step("Cancel asks for nothing", async () => {
    await row.getByRole("button", { name: `Off: ${name}`, exact: true }).click();
    await shot("confirm");
    await confirm("Cancel");
    expect((await row.locator(".asking").textContent()) === "", "something was asked");
    expect((await page.locator("#answers .answer").count()) === 0, "something was answered");
  });

  await step("powering it off is accepted", async () => {
    await row.getByRole("button", { name: `Off: ${name}`, exact: true }).click();
    await confirm("Off");
    await answer(/Off (accepted|done)/).waitFor();
  });

  await step("the wish is shown, then the machine is seen off", async () => {
    await page.locator(`#rows tr[data-guid="${guid}"][data-wanted="off"]`).waitFor();
    await page.locator(`#rows tr[data-guid="${guid}"][data-actual="off"]`).waitFor({ timeout: POWER_MS });
    await page.locator(`#rows tr[data-guid="${guid}"][data-differs="false"]`).waitFor({ timeout: POWER_MS });
  });

  await step("the event tells it in a sentence", async () => {
    const event = page.locator(`#events li[data-guid="${guid}"][data-class="power"]`).first();
    await event.waitFor();
    expect((await event.locator(".text").textContent()).length > 5, "the event has no sentence");
  });

  await step("a reset of the machine that is off is refused with the reason", async () => {
    await fromMenu(row, /^Reset/);
    await confirm("Reset");
    const refused = answer(/Reset (refused|failed)/);
    await refused.waitFor();
    const words = await refused.textContent();
    expect(/\boff\b/i.test(words), `the answer does not say that it is off: ${words}`);
    await shot("refused");
  });

  await step("powering it on again is accepted and seen", async () => {
    await row.getByRole("button", { name: `On: ${name}`, exact: true }).click();
    await answer(/On (accepted|done)/).waitFor();
    await page.locator(`#rows tr[data-guid="${guid}"][data-actual="on"]`).waitFor({ timeout: POWER_MS });
    await shot("on-again");
  });

  await step("a reload keeps the sign-in", async () => {
    sockets.clear(); // those of the page that goes are closed by the browser, without a word
    await page.reload();
    await page.locator('#connection[data-state="live"]').waitFor();
    await row.waitFor();
  });

  await step("no secret was in any URL", async () => {
    const token = await page.evaluate(() => sessionStorage.getItem("outband.token"));
    expect(token, "there is no token in sessionStorage");
    const leaking = urls.filter((u) => u.includes(token) || u.includes(encodeURIComponent(password)));
    expect(leaking.length === 0, `in a URL: ${leaking.length} times`);
    expect(urls.some((u) => u.endsWith("/mqtt")), "no WebSocket to the broker was opened");
    expect(urls.every((u) => new URL(u).host === new URL(url).host), "a foreign host was asked");
  });

  await step("signing out closes everything", async () => {
    await page.locator("#app .sign-out").click();
    await page.getByLabel("User name").waitFor();
    expect((await page.evaluate(() => sessionStorage.length)) === 0, "something was kept");
    expect((await page.locator("#rows tr").count()) === 0, "machines are still on the page");
    for (const ws of sockets) if (!ws.isClosed()) await ws.waitForEvent("close");
  });

  await step("the browser had nothing to complain about", async () => {
    expect(complaints.length === 0, complaints.join("\n"));
  });
});

process.exit(summary());
