/** One machine's row. Keeps its nodes, writes what changed. */
import { make, setData, setText } from "./dom";
import { differenceOf, levelOf, linkOf, nameOf, shortGuid, wantedOf, type Machine } from "./model";
import { ACTIONS, choice, mayPower, type Action } from "./power";
import { ago, fullTime, lasting, levelWords, LINK_HINTS, LINK_WORDS, sentence, TARGET_WORDS } from "./words";

/** In the row itself; the others are in its menu. */
const DIRECT: readonly Action[] = ["on", "off"];

/** A time that is shown as an age and so changes by itself. */
class Age {
  readonly element = make("span", "age");
  private at = 0;
  constructor(private readonly words: (at: number, now: number) => string) {}

  set(at: number, now: number): void {
    if (at !== this.at) this.element.title = fullTime(at);
    this.at = at;
    this.tick(now);
  }
  tick(now: number): void {
    setText(this.element, this.words(this.at, now));
  }
}

function cell(className: string, label: string, ...content: HTMLElement[]): HTMLTableCellElement {
  const td = make("td", className);
  td.dataset["label"] = label; // shown by the style sheet where rows become cards
  td.append(...content);
  return td;
}

export class Row {
  readonly element = make("tr");
  /** What the filter looks through. */
  haystack = "";
  differs = false;
  name = "";

  private readonly nameText = make("span", "name");
  private readonly guidText = make("code", "guid");
  private readonly tags = make("span", "tags");
  private readonly link = make("span", "badge");
  private readonly linkSince = new Age(lasting);
  private readonly wanted = make("span", "wanted");
  private readonly actual = make("span", "badge");
  private readonly actualSince = new Age(lasting);
  private readonly why = make("span", "why");
  private readonly whySince = new Age(lasting);
  private readonly seen = new Age(ago);
  private readonly power = make("span", "power");
  private readonly asking = make("span", "asking quiet");
  private readonly buttons = new Map<Action | "more", HTMLButtonElement>();

  constructor(readonly guid: string) {
    const head = make("th", "c-name");
    head.scope = "row";
    head.append(this.nameText, this.guidText, this.tags);
    this.guidText.textContent = shortGuid(guid);
    this.guidText.title = guid;
    this.element.dataset["guid"] = guid;
    this.element.append(
      head,
      cell("c-link", "Link", this.link, this.linkSince.element),
      cell("c-wanted", "Wanted", this.wanted),
      cell("c-actual", "Actual", this.actual, this.actualSince.element),
      cell("c-why", "Why they differ", this.why, this.whySince.element),
      cell("c-seen", "Observed", this.seen.element),
      cell("c-power", "Power", this.power, this.asking),
    );
  }

  show(m: Machine, role: string, connected: boolean, asking: string, now: number): void {
    const link = linkOf(m);
    const state = link?.state ?? "unknown";
    const level = levelOf(m);
    const target = wantedOf(m);
    const difference = differenceOf(m);
    this.name = nameOf(m);
    this.differs = difference !== undefined;

    setText(this.nameText, this.name);
    this.nameText.title = m.record?.hostname ?? "";
    this.showTags(m.record?.tags ?? []);

    setText(this.link, link ? LINK_WORDS[state] : "Never seen");
    const hint = link ? LINK_HINTS[state] : "This machine has never opened a tunnel.";
    this.link.title = link?.why ? `${hint} ${sentence(link.why)}` : hint;
    this.linkSince.set(link?.since ?? 0, now);

    setText(this.wanted, TARGET_WORDS[target]);
    this.wanted.title = target === "keep" ? "Nothing is wished for, so nothing is enforced." : "";
    setText(this.actual, levelWords(level, state));
    this.actualSince.set(m.current.body?.since ?? 0, now);

    setText(this.why, difference ? difference.reasons.map(sentence).join(" ") : "");
    this.whySince.set(difference?.since ?? 0, now);
    this.seen.set(m.current.body?.observed ?? 0, now);

    setData(this.element, "link", link ? state : "never");
    setData(this.element, "actual", level);
    setData(this.element, "wanted", target);
    setData(this.element, "differs", String(this.differs));
    setText(this.asking, asking);
    this.showButtons(m, role, connected && !asking);

    this.haystack = [
      this.name,
      m.record?.hostname ?? "",
      m.guid,
      ...(m.record?.tags ?? []),
      this.link.textContent,
      this.wanted.textContent,
      this.actual.textContent,
    ]
      .join(" ")
      .toLowerCase();
  }

  /** Ages only. */
  tick(now: number): void {
    this.linkSince.tick(now);
    this.actualSince.tick(now);
    this.whySince.tick(now);
    this.seen.tick(now);
  }

  private showTags(tags: string[]): void {
    if (this.tags.childElementCount === tags.length) {
      const same = tags.every((t, i) => this.tags.children[i]?.textContent === t);
      if (same) return;
    }
    this.tags.replaceChildren(...tags.map((t) => make("span", "tag", t)));
  }

  private showButtons(m: Machine, role: string, usable: boolean): void {
    if (!mayPower(role)) {
      this.buttons.clear();
      this.power.replaceChildren();
      return;
    }
    if (this.buttons.size === 0) {
      for (const action of DIRECT) this.addButton(action, ACTIONS[action].label);
      const more = this.addButton("more", "More");
      more.setAttribute("aria-haspopup", "menu");
    }
    for (const [action, button] of this.buttons) {
      const c = action === "more" ? { enabled: usable, hint: "" } : choice(action, m, role, usable);
      if (button.disabled === c.enabled) button.disabled = !c.enabled;
      if (button.title !== c.hint) button.title = c.hint;
      const what = action === "more" ? "More power actions" : ACTIONS[action].label;
      const label = `${what}: ${this.name}`;
      if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
    }
  }

  private addButton(action: Action | "more", label: string): HTMLButtonElement {
    const b = make("button", "small", label);
    b.type = "button";
    b.dataset["action"] = action;
    this.buttons.set(action, b);
    this.power.append(b);
    return b;
  }
}
