/** How far a conversation was read: whoever is at its end stays there when it grows. */

/** So close to the end is at the end. */
const NEAR_PX = 60;

export class Place {
  #toEnd = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly selector: string,
  ) {}

  /** The next one that is drawn is shown from its end. */
  beginAtEnd(): void {
    this.#toEnd = true;
  }

  /** Go to the end, and stay there. */
  toEnd(): void {
    const pane = this.#pane;
    if (pane) pane.scrollTop = pane.scrollHeight;
  }

  keep(draw: () => void): void {
    const before = this.#pane;
    const atEnd = before !== null && before.scrollHeight - before.scrollTop - before.clientHeight < NEAR_PX;
    draw();
    const after = this.#pane;
    if (!after || !(this.#toEnd || (atEnd && after === before))) return;
    this.#toEnd = false;
    after.scrollTop = after.scrollHeight;
  }

  get #pane(): HTMLElement | null {
    return this.root.querySelector<HTMLElement>(this.selector);
  }
}
