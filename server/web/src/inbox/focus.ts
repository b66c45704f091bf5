/** Where the keyboard stands: what is drawn anew never drops it, and what was opened gets it. */

const FALLBACKS = [".detail h1", ".list h2", "main h1", "main input"];

export class Focus {
  #wanted = "";

  constructor(private readonly root: HTMLElement) {
    // Whoever goes on by themselves isn't called back.
    for (const event of ["keydown", "pointerdown"]) root.addEventListener(event, () => (this.#wanted = ""));
  }

  /** What `selector` finds gets the focus as soon as it is drawn; what `meanwhile` finds has it until then. */
  next(selector: string, meanwhile = ""): void {
    this.#wanted = selector;
    if (!this.#move() && meanwhile) this.#find(meanwhile)?.focus();
  }

  /** Draw; when what had the focus is gone, what stands for its place has it. */
  keep(draw: () => void): void {
    const before = document.activeElement;
    const inside = before !== null && before !== document.body && this.root.contains(before);
    const inList = inside && before.closest(".list") !== null;
    draw();
    if (this.#move() || !inside || this.root.contains(document.activeElement)) return;
    const places = inList ? [".list h2", ...FALLBACKS] : FALLBACKS;
    places.map((place) => this.#find(place)).find(Boolean)?.focus();
  }

  #move(): boolean {
    const found = this.#wanted ? this.#find(this.#wanted) : null;
    if (!found) return false;
    this.#wanted = "";
    found.focus();
    return true;
  }

  /** What isn't shown can't have it. */
  #find(selector: string): HTMLElement | null {
    const found = this.root.querySelector<HTMLElement>(selector);
    return found?.getClientRects().length ? found : null;
  }
}
