/** The topics of the page, below `oob/v1/{tenant}`; messages/bus/topics.hpp is the definition. */
import type { StateKind } from "./documents";

const ROOT = "oob/v1";
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const LEVEL = /^[a-z0-9-]{1,64}$/;

export type Topic =
  | { kind: StateKind; guid: string }
  | { kind: "event"; guid: string; cls: string }
  | { kind: "response"; client: string };

/** `username` is the ticket's, "acme/op/alice": the path of everything its holder owns. */
export function subscriptions(tenant: string, username: string, client: string): string[] {
  const device = `${ROOT}/${tenant}/dev/+`;
  return [
    `${device}/desired`,
    `${device}/current`,
    `${device}/presence`,
    `${device}/event/+`,
    responseTopic(username, client),
  ];
}

export function requestTopic(username: string, guid: string): string {
  return `${ROOT}/${username}/req/${guid}`;
}

export function responseTopic(username: string, client: string): string {
  return `${ROOT}/${username}/rsp/${client}`;
}

/** undefined for what the page does not know: v1 may gain levels and classes. */
export function parseTopic(topic: string, tenant: string): Topic | undefined {
  const level = topic.split("/");
  if (level[0] !== "oob" || level[1] !== "v1" || level[2] !== tenant) return undefined;
  if (level[3] !== "dev") {
    const client = level[6];
    if (level.length !== 7 || level[5] !== "rsp" || !client) return undefined;
    return { kind: "response", client };
  }
  const guid = level[4];
  if (!guid || !GUID.test(guid)) return undefined;
  const kind = level[5];
  if (level.length === 6 && (kind === "desired" || kind === "current" || kind === "presence"))
    return { kind, guid };
  const cls = level[6];
  if (level.length === 7 && kind === "event" && cls && LEVEL.test(cls))
    return { kind: "event", guid, cls };
  return undefined;
}
