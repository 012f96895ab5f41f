import { describe, expect, test } from "vitest";
import type { LinkState, PowerLevel, PowerTarget } from "../src/documents";
import { unheardOf, type Machine } from "../src/model";
import { ACTIONS, choice, mayPower, type Action } from "../src/power";

const ALL = Object.keys(ACTIONS) as Action[];

function machine(level: PowerLevel, wanted: PowerTarget = "keep", link: LinkState = "up"): Machine {
  return {
    ...unheardOf("g"),
    desired: { rev: 1, body: { target: wanted, policy: "ordered" } },
    current: {
      rev: 1,
      body: {
        level,
        since: 0,
        observed: 0,
        link: { state: link, epoch: 1, since: 0, why: "" },
        version: "",
        desiredRev: 1,
        conditions: [],
      },
    },
  };
}

function enabled(m: Machine, role = "operator", connected = true): Action[] {
  return ALL.filter((a) => choice(a, m, role, connected).enabled);
}

describe("power buttons", () => {
  test("are for operators and above", () => {
    expect(["none", "viewer", "", "operator", "admin", "site-admin"].map(mayPower)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
    ]);
    expect(enabled(machine("on"), "viewer")).toEqual([]);
    expect(enabled(machine("on"), "")).toEqual([]);
  });

  test("are off while the page is not connected", () => {
    expect(enabled(machine("on"), "admin", false)).toEqual([]);
  });

  test("are off when the wish is fulfilled, not when only the state happens to be so", () => {
    expect(enabled(machine("on", "on"))).not.toContain("on");
    expect(enabled(machine("on", "keep"))).toContain("on");
    expect(enabled(machine("off", "off"))).not.toContain("off-now");
    expect(enabled(machine("on", "off"))).toContain("off-now");
  });

  test("of what is likely to be refused stay usable and say so", () => {
    for (const action of ["reset", "cycle", "sleep", "hibernate"] as const) {
      const c = choice(action, machine("off"), "operator", true);
      expect(c.enabled, action).toBe(true);
      expect(c.hint, action).toMatch(/likely to be refused/);
      expect(choice(action, machine("on"), "operator", true).hint, action).toBe("");
    }
  });

  test("towards a level say that the wish waits for the tunnel", () => {
    expect(choice("off", machine("on", "keep", "down"), "operator", true).hint).toMatch(/kept/);
    expect(choice("reset", machine("on", "keep", "down"), "operator", true).hint).toMatch(/tunnel/);
  });

  test("a wish can be withdrawn only if there is one", () => {
    expect(enabled(machine("on", "keep"))).not.toContain("keep");
    expect(enabled(machine("on", "off"))).toContain("keep");
  });

  test("that may cost data ask first", () => {
    expect(ALL.filter((a) => ACTIONS[a].confirm !== "")).toEqual(["off", "off-now", "reset", "cycle"]);
  });
});
