import { describe, expect, test } from "vitest";
import type { Condition, Current, Document, Envelope, LinkState, PowerLevel } from "../src/documents";
import {
  differenceOf,
  Fleet,
  levelOf,
  linkOf,
  MAX_EVENTS,
  nameOf,
  unheardOf,
  wantedOf,
  withEvent,
  withState,
  type StateDocument,
} from "../src/model";

const GUID = "12345678-9abc-def0-1234-56789abcdef0";

function envelope(kind: string, rev: number, more: Partial<Envelope> = {}): Envelope {
  return { id: "", kind, time: 1000, rev, seq: 0, deleted: false, ...more };
}

function current(
  rev: number,
  level: PowerLevel,
  more: { conditions?: Condition[]; desiredRev?: number; link?: Partial<Current["link"]> } = {},
): StateDocument {
  return {
    kind: "current",
    env: envelope("current", rev),
    body: {
      level,
      since: 10,
      observed: 20,
      link: { state: "up", epoch: 1, since: 5, why: "", ...more.link },
      version: "16",
      desiredRev: more.desiredRev ?? 0,
      conditions: more.conditions ?? [],
    },
  };
}

function desired(rev: number, target: "on" | "off" | "keep"): StateDocument {
  return { kind: "desired", env: envelope("desired", rev), body: { target, policy: "ordered" } };
}

function presence(rev: number, state: LinkState, epoch: number, since: number): StateDocument {
  return { kind: "presence", env: envelope("presence", rev), body: { state, epoch, since, why: "" } };
}

function event(seq: number, text = "Something happened."): Extract<Document, { kind: "event" }> {
  return { kind: "event", env: envelope("event", 0, { seq }), body: { type: "t", text, by: "" } };
}

describe("state is taken by revision", () => {
  test("newer is taken, equal and older are dropped", () => {
    const a = withState(unheardOf(GUID), current(5, "on"));
    expect(levelOf(a)).toBe("on");
    expect(withState(a, current(5, "off"))).toBe(a);
    expect(withState(a, current(4, "off"))).toBe(a);
    expect(levelOf(withState(a, current(6, "off")))).toBe("off");
  });

  test("in whatever order and however often documents come, the newest remains", () => {
    const docs = [3, 1, 4, 1, 5, 2, 5, 3].map((rev) => current(rev, rev === 5 ? "off" : "on"));
    for (let turn = 0; turn < docs.length; turn++) {
      const shuffled = [...docs.slice(turn), ...docs.slice(0, turn)];
      const m = shuffled.reduce(withState, unheardOf(GUID));
      expect(levelOf(m)).toBe("off");
      expect(m.current.rev).toBe(5);
    }
  });

  test("each document has its own revisions", () => {
    const m = [current(9, "on"), desired(2, "off"), presence(1, "late", 1, 9)].reduce(
      withState,
      unheardOf(GUID),
    );
    expect(wantedOf(m)).toBe("off");
    expect(linkOf(m)?.state).toBe("late");
  });

  test("the machine handed in is left as it was", () => {
    const before = unheardOf(GUID);
    withState(before, current(1, "on"));
    expect(before.current.rev).toBe(-1);
  });
});

describe("events are numbered", () => {
  test("the first one sets the count, repeats are dropped, gaps are counted", () => {
    const first = withEvent(unheardOf(GUID), "power", 7);
    expect(first).toMatchObject({ fresh: true, missed: 0 });
    expect(withEvent(first.machine, "power", 7).fresh).toBe(false);
    expect(withEvent(first.machine, "power", 6).fresh).toBe(false);
    expect(withEvent(first.machine, "power", 8)).toMatchObject({ fresh: true, missed: 0 });
    expect(withEvent(first.machine, "power", 10)).toMatchObject({ fresh: true, missed: 2 });
  });

  test("each class counts for itself, and unnumbered ones always pass", () => {
    const m = withEvent(unheardOf(GUID), "power", 7).machine;
    expect(withEvent(m, "link", 1)).toMatchObject({ fresh: true, missed: 0 });
    expect(withEvent(m, "power", 0)).toMatchObject({ fresh: true, missed: 0 });
  });
});

describe("the link", () => {
  test("of the newer tunnel counts, then the later word", () => {
    const base = withState(unheardOf(GUID), current(1, "on", { link: { epoch: 2, since: 100 } }));
    expect(linkOf(withState(base, presence(1, "down", 1, 900)))?.state).toBe("up");
    expect(linkOf(withState(base, presence(1, "down", 3, 50)))?.state).toBe("down");
    expect(linkOf(withState(base, presence(1, "late", 2, 101)))?.state).toBe("late");
    expect(linkOf(withState(base, presence(1, "late", 2, 99)))?.state).toBe("up");
  });

  test("is not known of a machine that nobody has heard of", () => {
    expect(linkOf(unheardOf(GUID))).toBeUndefined();
  });
});

describe("why wish and reality differ", () => {
  const waiting: Condition = {
    type: "power",
    ok: false,
    code: "waiting",
    reason: "Waiting for the machine's tunnel.",
    since: 77,
  };

  test("is the condition's reason", () => {
    const m = [current(1, "on", { conditions: [waiting] }), desired(1, "off")].reduce(
      withState,
      unheardOf(GUID),
    );
    expect(differenceOf(m)).toEqual({ reasons: ["Waiting for the machine's tunnel."], since: 77 });
  });

  test("is nothing when they agree, or nothing is wished for", () => {
    const on = withState(unheardOf(GUID), current(1, "on", { conditions: [{ ...waiting, ok: true }] }));
    expect(differenceOf(on)).toBeUndefined();
    expect(differenceOf(withState(on, desired(1, "keep")))).toBeUndefined();
    expect(differenceOf(withState(on, desired(1, "on")))).toBeUndefined();
  });

  test("is said to be not acted on while the wish is newer than what was acted on", () => {
    const m = [current(1, "on", { desiredRev: 3 }), desired(4, "off")].reduce(
      withState,
      unheardOf(GUID),
    );
    expect(differenceOf(m)?.reasons).toEqual(["Stored; not acted on yet."]);
  });
});

describe("the fleet", () => {
  const record = { guid: GUID, hostname: "h.example", friendlyName: "", tags: [] };

  test("marks what changed, and only that", () => {
    const fleet = new Fleet();
    expect(fleet.state(GUID, current(1, "on")).what).toBe("new");
    fleet.dirty.clear();
    expect(fleet.state(GUID, current(1, "on")).what).toBe("nothing");
    expect(fleet.dirty.size).toBe(0);
    expect(fleet.state(GUID, current(2, "off")).what).toBe("changed");
    expect([...fleet.dirty]).toEqual([GUID]);
  });

  test("a record names the machine and leaves its state", () => {
    const fleet = new Fleet();
    fleet.state(GUID, current(1, "on"));
    expect(nameOf(fleet.machines.get(GUID)!)).toBe("12345678");
    fleet.record(record);
    expect(nameOf(fleet.machines.get(GUID)!)).toBe("h.example");
    expect(levelOf(fleet.machines.get(GUID)!)).toBe("on");
  });

  test("a tombstone removes the machine, an old one does not, an unknown one makes none", () => {
    const fleet = new Fleet();
    const tombstone = (rev: number): StateDocument => ({
      kind: "current",
      env: envelope("current", rev, { deleted: true }),
      body: undefined,
    });
    expect(fleet.state(GUID, tombstone(9)).what).toBe("nothing");
    expect(fleet.machines.size).toBe(0);
    fleet.state(GUID, current(5, "on"));
    expect(fleet.state(GUID, tombstone(5)).what).toBe("nothing");
    expect(fleet.state(GUID, tombstone(6)).what).toBe("gone");
    expect(fleet.machines.size).toBe(0);
    // Registered again: numbers start anew.
    expect(fleet.state(GUID, current(1, "on")).what).toBe("new");
  });

  test("a gap is told in the stream and reported", () => {
    const fleet = new Fleet();
    fleet.record(record);
    fleet.event(GUID, "power", event(1));
    expect(fleet.event(GUID, "power", event(4)).what).toBe("gap");
    expect(fleet.events.map((e) => e.text)).toEqual([
      "Something happened.",
      "2 events were lost on the way to this page.",
      "Something happened.",
    ]);
  });

  test("keeps a bounded number of events, the newest", () => {
    const fleet = new Fleet();
    fleet.record(record);
    for (let n = 1; n <= MAX_EVENTS + 50; n++) fleet.event(GUID, "link", event(n, `Number ${n}.`));
    expect(fleet.events.length).toBe(MAX_EVENTS);
    expect(fleet.events.at(-1)?.text).toBe(`Number ${MAX_EVENTS + 50}.`);
    expect(fleet.events[0]?.text).toBe("Number 51.");
  });

  test("a snapshot replaces only what is older", () => {
    const fleet = new Fleet();
    fleet.state(GUID, current(5, "on"));
    const body = current(0, "off").body as Current;
    const wish = { target: "off", policy: "ordered" } as const;
    fleet.snapshot(GUID, { desired: wish, desiredRev: 3, current: body, currentRev: 4 });
    expect(levelOf(fleet.machines.get(GUID)!)).toBe("on");
    expect(wantedOf(fleet.machines.get(GUID)!)).toBe("off");
    fleet.snapshot(GUID, { desired: wish, desiredRev: 3, current: body, currentRev: 6 });
    expect(levelOf(fleet.machines.get(GUID)!)).toBe("off");
  });
});
