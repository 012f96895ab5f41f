// Steps that build on each other, a count at the end, and Debian's Chromium without a profile.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

let passed = 0;
let failed = 0;

/** After a failure the rest is not tried, but counted: the steps depend on each other. */
export async function step(sentence, work) {
  if (failed > 0) {
    failed++;
    console.log(`not reached  ${sentence}`);
    return;
  }
  try {
    await work();
    passed++;
    console.log(`ok           ${sentence}`);
  } catch (e) {
    failed++;
    console.log(`FAILED       ${sentence}\n${e.stack ?? e}`);
  }
}

export function expect(truth, words) {
  if (!truth) throw new Error(words);
}

export function summary() {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

export async function withBrowser(work) {
  const profile = mkdtempSync(join(tmpdir(), "outband-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.OUTBAND_CHROMIUM || "/usr/bin/chromium",
    headless: true,
    ignoreHTTPSErrors: true, // a site's first certificate is its own
    viewport: { width: 1440, height: 900 },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  try {
    await work(context);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
