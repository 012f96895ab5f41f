import { describe, expect, test } from "vitest";
import { errorWords, recordOf, timeOf } from "../src/api";
import type { Answer, RequestStatus } from "../src/documents";
import { parseTopic, requestTopic, subscriptions } from "../src/topics";
import { ago, answerWords, duration, lasting, levelWords, sentence } from "../src/words";

describe("power states", () => {
  test("are last known where the machine cannot be asked", () => {
    expect(levelWords("on", "up")).toBe("On");
    expect(levelWords("on", "unknown")).toBe("On (last known)");
    expect(levelWords("off", "down")).toBe("Off (last known)");
    expect(levelWords("sleep", "late")).toBe("Asleep (last known)");
    expect(levelWords("unknown", "down")).toBe("Unknown");
  });
});

describe("ages", () => {
  test("are told in the largest unit that says enough", () => {
    const told = [0, 1999, 2000, 59_999, 60_000, 3_599_999, 3_600_000, 172_799_999, 172_800_000];
    expect(told.map(duration)).toEqual([
      "",
      "",
      "2 s",
      "59 s",
      "1 min",
      "59 min",
      "1 h",
      "47 h",
      "2 days",
    ]);
  });

  test("of an unknown time are empty, of a time ahead of our clock just now", () => {
    expect(ago(0, 1e12)).toBe("");
    expect(lasting(0, 1e12)).toBe("");
    expect(ago(1e12 + 5000, 1e12)).toBe("just now");
    expect(ago(1e12, 1e12 + 65_000)).toBe("1 min ago");
  });
});

describe("answers", () => {
  const answer = (status: RequestStatus, text: string): Answer => ({
    status,
    text,
    code: "a-code",
    detail: "",
    snapshot: undefined,
  });

  test("say who was asked for what, the verdict, and the server's reason", () => {
    expect(answerWords("Reset", "web-01", answer("rejected", "it is off"), false)).toEqual({
      text: "web-01: Reset refused. It is off.",
      tone: "bad",
    });
    expect(answerWords("Reset", "web-01", answer("accepted", "Accepted."), false).text).toBe(
      "web-01: Reset accepted.",
    );
    expect(answerWords("Reset", "web-01", answer("done", ""), false).text).toBe(
      "web-01: Reset done.",
    );
    expect(answerWords("Reset", "web-01", answer("failed", ""), false).text).toBe(
      "web-01: Reset failed. A-code.",
    );
  });

  test("do not call a wish done when it is only stored", () => {
    expect(answerWords("Off", "web-01", answer("done", "Stored."), true).text).toBe(
      "web-01: Off accepted. Stored.",
    );
  });

  test("call it refused when nothing was sent to the machine", () => {
    const refused = { ...answer("failed", "it is off"), code: "transition-refused" };
    expect(answerWords("Reset", "web-01", refused, false).text).toBe(
      "web-01: Reset refused. It is off.",
    );
    expect(answerWords("Reset", "web-01", answer("failed", "no"), false).text).toMatch(/failed/);
  });

  test("sentences begin with a capital and end", () => {
    expect(["", "it is off", "Why?", "Done."].map(sentence)).toEqual([
      "",
      "It is off.",
      "Why?",
      "Done.",
    ]);
  });
});

describe("what REST says", () => {
  test("errors in each of the server's forms become one sentence", () => {
    expect(errorWords(401, { message: "Wrong." })).toBe("Wrong.");
    expect(errorWords(404, { error: "Error", errorDescription: "Not there." })).toBe("Not there.");
    expect(errorWords(400, { errors: [{ msg: "must be text" }] })).toBe("must be text");
    expect(errorWords(502, undefined)).toBe("The server answered 502.");
  });

  test("times come as RFC 3339, seconds or milliseconds", () => {
    expect(timeOf("2026-11-21T10:00:00.000Z")).toBe(1795255200000);
    expect(timeOf(1795255200)).toBe(1795255200000);
    expect(timeOf(1795255200000)).toBe(1795255200000);
    expect(timeOf("soon")).toBe(0);
  });

  test("records without a GUID are none", () => {
    expect(recordOf({ hostname: "h" })).toBeUndefined();
    expect(recordOf(null)).toBeUndefined();
    expect(recordOf({ guid: "ABC", tags: ["a", 7], friendlyName: null })).toEqual({
      guid: "abc",
      hostname: "",
      friendlyName: "",
      tags: ["a"],
    });
  });
});

describe("topics", () => {
  const guid = "12345678-9abc-def0-1234-56789abcdef0";

  test("of the own tenant are understood, others are not ours", () => {
    expect(parseTopic(`oob/v1/acme/dev/${guid}/current`, "acme")).toEqual({ kind: "current", guid });
    expect(parseTopic(`oob/v1/acme/dev/${guid}/event/power`, "acme")).toEqual({
      kind: "event",
      guid,
      cls: "power",
    });
    expect(parseTopic("oob/v1/acme/op/alice/rsp/page-1", "acme")).toEqual({
      kind: "response",
      client: "page-1",
    });
    for (const other of [
      `oob/v1/other/dev/${guid}/current`,
      `oobx/v1/acme/dev/${guid}/current`,
      `oob/v2/acme/dev/${guid}/current`,
      `oob/v1/acme/dev/${guid}/current/more`,
      `oob/v1/acme/dev/${guid}/event`,
      `oob/v1/acme/dev/${guid}/event/a/b`,
      "oob/v1/acme/dev/not-a-guid/current",
      "oob/v1/acme/meta/bus",
      "",
    ])
      expect(parseTopic(other, "acme"), other).toBeUndefined();
  });

  test("asked for are the tenant's machines and the own answers, nothing wider", () => {
    expect(subscriptions("acme", "acme/op/alice", "page-1")).toEqual([
      "oob/v1/acme/dev/+/desired",
      "oob/v1/acme/dev/+/current",
      "oob/v1/acme/dev/+/presence",
      "oob/v1/acme/dev/+/event/+",
      "oob/v1/acme/op/alice/rsp/page-1",
    ]);
    expect(requestTopic("acme/op/alice", guid)).toBe(`oob/v1/acme/op/alice/req/${guid}`);
  });
});
