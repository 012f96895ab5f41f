/** The table of machines: rows, order, filter. Only rows on screen have their ages refreshed. */
import { byId, setText } from "./dom";
import type { Fleet } from "./model";
import { Row } from "./row";

/** Rows built or refreshed in one frame; the rest waits for the next, so that the page stays usable. */
const ROWS_PER_FRAME = 150;

export interface Context {
  role: string;
  connected: boolean;
  now: number;
  /** What is being asked of a machine at the moment, by GUID. */
  asking: ReadonlyMap<string, string>;
}

const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export class Table {
  private readonly body = byId<HTMLTableSectionElement>("rows");
  private readonly empty = byId("empty");
  private readonly summary = byId("summary");
  private readonly rows = new Map<string, Row>();
  private readonly onScreen = new Set<Row>();
  private readonly byElement = new WeakMap<Element, Row>();
  private readonly watcher: IntersectionObserver;
  private words: string[] = [];
  private onlyDiffering = false;
  private reorder = false;
  private refilter = false;

  constructor(private readonly serverNow: () => number) {
    this.watcher = new IntersectionObserver((seen) => {
      const now = this.serverNow();
      for (const s of seen) {
        const row = this.byElement.get(s.target);
        if (!row) continue;
        if (s.isIntersecting) {
          this.onScreen.add(row);
          row.tick(now);
        } else {
          this.onScreen.delete(row);
        }
      }
    });
  }

  filter(text: string, onlyDiffering: boolean): void {
    this.words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.onlyDiffering = onlyDiffering;
    this.refilter = true;
  }

  tick(now: number): void {
    for (const row of this.onScreen) row.tick(now);
  }

  /** Shows what is dirty; true: there is more for the next frame. */
  show(fleet: Fleet, context: Context): boolean {
    let left = ROWS_PER_FRAME;
    const changed: Row[] = [];
    for (const guid of fleet.dirty) {
      if (left-- === 0) break;
      fleet.dirty.delete(guid);
      const row = this.refresh(guid, fleet, context);
      if (row) changed.push(row);
    }
    if (this.reorder) this.sort();
    if (this.refilter) for (const row of this.rows.values()) this.applyFilter(row);
    else for (const row of changed) this.applyFilter(row);
    if (changed.length > 0 || this.refilter || this.reorder) this.summarize(fleet);
    this.refilter = this.reorder = false;
    return fleet.dirty.size > 0;
  }

  clear(): void {
    this.watcher.disconnect();
    this.rows.clear();
    this.onScreen.clear();
    this.body.replaceChildren();
    setText(this.summary, "");
    this.empty.hidden = true;
  }

  sayEmpty(text: string): void {
    setText(this.empty, text);
    this.empty.hidden = text === "";
  }

  private refresh(guid: string, fleet: Fleet, c: Context): Row | undefined {
    const machine = fleet.machines.get(guid);
    let row = this.rows.get(guid);
    if (!machine) {
      if (row) {
        this.watcher.unobserve(row.element);
        this.onScreen.delete(row);
        row.element.remove();
        this.rows.delete(guid);
        this.reorder = true;
      }
      return undefined;
    }
    if (!row) {
      row = new Row(guid);
      this.rows.set(guid, row);
      this.byElement.set(row.element, row);
      this.watcher.observe(row.element);
      this.reorder = true;
    }
    const before = row.name;
    row.show(machine, c.role, c.connected, c.asking.get(guid) ?? "", c.now);
    if (row.name !== before) this.reorder = true;
    return row;
  }

  /** By name; moves only rows that are not where they belong, so that focus is not lost. */
  private sort(): void {
    const sorted = [...this.rows.values()].sort(
      (a, b) => order.compare(a.name, b.name) || (a.guid < b.guid ? -1 : 1),
    );
    let at: ChildNode | null = this.body.firstChild;
    for (const row of sorted) {
      if (row.element === at) at = at.nextSibling;
      else this.body.insertBefore(row.element, at);
    }
  }

  private applyFilter(row: Row): void {
    const shown =
      (!this.onlyDiffering || row.differs) && this.words.every((w) => row.haystack.includes(w));
    if (row.element.hidden === shown) row.element.hidden = !shown;
  }

  private summarize(fleet: Fleet): void {
    const count = { up: 0, late: 0, down: 0, other: 0, differ: 0, shown: 0 };
    for (const row of this.rows.values()) {
      const link = row.element.dataset["link"];
      count[link === "up" || link === "late" || link === "down" ? link : "other"]++;
      if (row.differs) count.differ++;
      if (!row.element.hidden) count.shown++;
    }
    const total = this.rows.size;
    const parts = [
      count.shown === total ? `${total}` : `${count.shown} of ${total}`,
      `${count.up} up`,
      count.late ? `${count.late} late` : "",
      `${count.down} down`,
      count.other ? `${count.other} unknown` : "",
      count.differ ? `${count.differ} differ` : "",
    ];
    setText(this.summary, parts.filter(Boolean).join(" · "));
    if (fleet.machines.size > 0)
      this.sayEmpty(total > 0 && count.shown === 0 ? "No machine matches the filter." : "");
  }
}
