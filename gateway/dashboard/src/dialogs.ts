/** What opens above the page: the menu of power actions, the confirmation, the answers. */
import { byId, make, setText } from "./dom";
import { levelOf, nameOf, type Machine } from "./model";
import { ACTIONS, choice, type Action } from "./power";
import { ago, LEVEL_WORDS, type Tone } from "./words";

const IN_MENU: readonly Action[] = ["off-now", "reset", "cycle", "sleep", "hibernate", "keep"];
const MAX_ANSWERS = 5;
const SHOWN_MS: Record<Tone, number> = { good: 8_000, wait: 8_000, bad: 60_000 };

export class PowerMenu {
  private readonly menu = byId("power-menu");
  private chosen: (action: Action) => void = () => undefined;

  constructor() {
    this.menu.addEventListener("click", (e) => {
      const action = (e.target as Element).closest<HTMLElement>("[data-action]")?.dataset["action"];
      if (!action) return;
      this.menu.hidePopover();
      this.chosen(action as Action);
    });
    this.menu.addEventListener("keydown", (e) => this.key(e));
    // It is placed next to its button once; when that moves away, it goes.
    for (const what of ["scroll", "resize"])
      window.addEventListener(what, () => this.close(), { capture: true, passive: true });
  }

  open(beside: HTMLElement, m: Machine, role: string, chosen: (action: Action) => void): void {
    this.chosen = chosen;
    this.menu.setAttribute("aria-label", `Power actions of ${nameOf(m)}`);
    this.menu.replaceChildren(
      ...IN_MENU.map((action) => {
        const c = choice(action, m, role, true);
        const item = make("button", "item");
        item.type = "button";
        item.setAttribute("role", "menuitem");
        item.dataset["action"] = action;
        item.disabled = !c.enabled;
        item.append(make("span", "", ACTIONS[action].label));
        if (c.hint) item.append(make("small", "hint", c.hint));
        return item;
      }),
    );
    this.menu.showPopover();
    const at = beside.getBoundingClientRect();
    const size = this.menu.getBoundingClientRect();
    const below = at.bottom + 4 + size.height <= window.innerHeight;
    this.menu.style.left = `${Math.max(8, Math.min(at.right - size.width, window.innerWidth - size.width - 8))}px`;
    this.menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - 4 - size.height)}px`;
    this.items()[0]?.focus({ preventScroll: true });
  }

  close(): void {
    if (this.menu.matches(":popover-open")) this.menu.hidePopover();
  }

  private items(): HTMLButtonElement[] {
    return [...this.menu.querySelectorAll<HTMLButtonElement>("button:not(:disabled)")];
  }

  private key(e: KeyboardEvent): void {
    const items = this.items();
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      items[(to + items.length) % items.length]?.focus();
    } else if (e.key === "Tab") {
      this.close();
    }
  }
}

/** Asks before something that may cost data; resolves to false for anything but a clear yes. */
export function confirmed(action: Action, m: Machine, hint: string, now: number): Promise<boolean> {
  const kind = ACTIONS[action];
  if (!kind.confirm) return Promise.resolve(true);
  const dialog = byId<HTMLDialogElement>("confirm");
  if (dialog.open) return Promise.resolve(false);
  setText(byId("confirm-title"), `${kind.label}: ${nameOf(m)}?`);
  setText(byId("confirm-text"), kind.confirm);
  const seen = ago(m.current.body?.observed ?? 0, now);
  setText(
    byId("confirm-seen"),
    seen ? `Last seen ${LEVEL_WORDS[levelOf(m)].toLowerCase()}, ${seen}.` : "",
  );
  setText(byId("confirm-hint"), hint);
  setText(byId("confirm-yes"), kind.label);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Answers to what this page asked, in a live region, so that they are read out. */
export class Answers {
  private readonly box = byId("answers");

  /** `instead`: of an earlier answer to the same request. */
  say(text: string, tone: Tone, instead?: HTMLElement): HTMLElement {
    const answer = make("div", "answer");
    answer.dataset["tone"] = tone;
    const dismiss = make("button", "dismiss", "×");
    dismiss.type = "button";
    dismiss.setAttribute("aria-label", "Dismiss");
    dismiss.addEventListener("click", () => answer.remove());
    answer.append(make("span", "", text), dismiss);
    instead?.remove();
    this.box.append(answer);
    while (this.box.childElementCount > MAX_ANSWERS) this.box.firstElementChild!.remove();
    setTimeout(() => answer.remove(), SHOWN_MS[tone]);
    return answer;
  }

  clear(): void {
    this.box.replaceChildren();
  }
}
