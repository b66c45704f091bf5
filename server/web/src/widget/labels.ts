/** What an element is called on the page, without ever reading what somebody typed into it. */

const MAX_LABEL = 80;
const PRIVATE = "input, textarea, select, [contenteditable]:not([contenteditable=false]), [data-help-private]";
const SILENT = `${PRIVATE}, script, style, noscript, template, svg, helpgraph-widget`;

function words(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, MAX_LABEL);
}

/** Text under `root`, skipping every field; it stops once there is enough for a label. */
function textOf(root: Element): string {
  let text = "";
  const visit = (node: Node): void => {
    if (text.length > MAX_LABEL * 2) return;
    if (node.nodeType === Node.TEXT_NODE) text += ` ${node.nodeValue ?? ""}`;
    else if (node instanceof Element && !node.matches(SILENT)) node.childNodes.forEach(visit);
  };
  visit(root);
  return words(text);
}

/** The label of `element`: its accessible name as authors wrote it, else its visible words; "" when it has none. */
export function labelOf(element: Element): string {
  const described = element.getAttribute("aria-label") ?? element.getAttribute("data-help-label");
  if (described?.trim()) return words(described);
  const ids = element.getAttribute("aria-labelledby")?.split(/\s+/) ?? [];
  const named = ids.map((id) => element.ownerDocument.getElementById(id)).filter((other) => other !== null);
  const joined = words(named.map(textOf).join(" "));
  if (joined) return joined;
  const labels = (element as Partial<HTMLInputElement>).labels;
  const label = labels && Array.from(labels).map(textOf).join(" ");
  if (label?.trim()) return words(label);
  if (element.closest(PRIVATE)) return words(element.getAttribute("title") ?? "");
  return textOf(element) || words(element.getAttribute("title") ?? "");
}

/** Whether a person could see the element now or by scrolling. */
export function isShown(element: Element): boolean {
  const box = element.getBoundingClientRect();
  if (box.width < 1 || box.height < 1) return false;
  return element.checkVisibility?.({ opacityProperty: true, visibilityProperty: true }) ?? true;
}
