/** A page's accent, and black or white on it, whichever reads better (at least 4.5:1 for every colour). */

function channel(value: number): number {
  const part = value / 255;
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
}

/** Set the accent of `host`; a value that is no opaque colour changes nothing. */
export function applyAccent(host: HTMLElement, accent: string): void {
  if (!accent || !CSS.supports("color", accent)) return;
  const probe = document.createElement("span");
  probe.style.color = accent;
  probe.hidden = true;
  host.shadowRoot?.append(probe);
  const parts = getComputedStyle(probe).color.match(/^rgb\((\d+), (\d+), (\d+)\)$/);
  probe.remove();
  if (!parts) return;
  const [red, green, blue] = parts.slice(1).map((part) => channel(Number(part)));
  const luminance = 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
  host.style.setProperty("--hg-accent", accent);
  host.style.setProperty("--hg-on-accent", luminance > 0.179 ? "#000000" : "#ffffff");
}
