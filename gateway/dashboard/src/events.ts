/** The event stream: newest first, as many as the model keeps. */
import { byId, make, setText } from "./dom";
import { MAX_EVENTS, nameOf, shortGuid, type EventLine, type Fleet } from "./model";
import { clockTime, fullTime, sentence, who } from "./words";

export class Events {
  private readonly list = byId<HTMLOListElement>("events");
  private readonly none = byId("no-events");
  private readonly count = byId("events-count");
  private shown = 0; // id of the newest line on the page

  show(fleet: Fleet): void {
    const all = fleet.events;
    let from = all.length;
    while (from > 0 && all[from - 1]!.id > this.shown) from--;
    if (from === all.length) return;
    const fresh = all.slice(from).reverse();
    this.shown = fresh[0]!.id;
    this.list.prepend(...fresh.map((line) => this.item(line, fleet)));
    while (this.list.childElementCount > MAX_EVENTS) this.list.lastElementChild!.remove();
    this.none.hidden = true;
    const n = this.list.childElementCount;
    setText(this.count, n < MAX_EVENTS ? `${n}` : `the latest ${MAX_EVENTS}`);
  }

  clear(): void {
    this.list.replaceChildren();
    this.none.hidden = false;
    setText(this.count, "");
  }

  private item(line: EventLine, fleet: Fleet): HTMLLIElement {
    const li = make("li", "event");
    li.dataset["class"] = line.cls;
    li.dataset["guid"] = line.guid;
    const when = make("time", "when", clockTime(line.at));
    when.title = fullTime(line.at);
    if (line.at > 0) when.dateTime = new Date(line.at).toISOString();
    const machine = fleet.machines.get(line.guid);
    const name = make("button", "of", machine ? nameOf(machine) : shortGuid(line.guid));
    name.type = "button";
    name.title = "Show only this machine";
    const text = make("span", "text", sentence(line.text));
    li.append(when, name, text);
    if (line.by) li.append(make("span", "by quiet", `by ${who(line.by)}`));
    return li;
  }
}
