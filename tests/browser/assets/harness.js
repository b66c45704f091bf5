// Draws hostile texts with the built renderer and says what in the document isn't ours.
import { renderMessage } from "/renderer.js";

const ALLOWED = {
  DIV: ["class"],
  P: ["class", "dir"],
  STRONG: [],
  EM: [],
  BDI: [],
  BR: [],
  BLOCKQUOTE: [],
  UL: [],
  OL: ["start"],
  LI: ["dir"],
  CODE: ["dir"],
  PRE: ["dir", "tabindex"],
  SPAN: ["class", "dir"],
  A: ["class", "href", "rel", "target"],
  BUTTON: ["class", "type", "title", "aria-label"],
};
const OVERRIDES = /[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;

window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(`policy: ${event.violatedDirective} ${event.blockedURI}`);
});

function strange(root, hosts) {
  const found = [];
  for (const element of root.querySelectorAll("*")) {
    const attributes = ALLOWED[element.tagName];
    if (!attributes) found.push(`element ${element.tagName}`);
    for (const { name } of element.attributes) {
      if (!attributes?.includes(name)) found.push(`attribute ${element.tagName} ${name}`);
    }
    if (element.tagName !== "A") continue;
    const url = new URL(element.href);
    const plain = url.protocol === "https:" && hosts.includes(url.host) && !url.username && !url.password;
    if (!plain || url.search) found.push(`link ${element.href}`);
    if (!element.textContent.includes(url.host)) found.push(`host hidden ${element.href}`);
    if (element.rel !== "noopener noreferrer nofollow" || element.target !== "_blank") found.push("link unguarded");
  }
  if (OVERRIDES.test(root.textContent)) found.push("direction override");
  return found;
}

// A text arrives piece by piece: each prefix is drawn as a stream would draw it, then the whole.
window.drawAll = async (vectors, hosts, splits) => {
  const found = {};
  let drawn = 0;
  const place = document.getElementById("place");
  for (const { name, text } of vectors) {
    const letters = Array.from(text);
    const step = Math.max(1, Math.ceil(letters.length / splits));
    for (let end = step; end < letters.length + step; end += step) {
      const whole = end >= letters.length;
      const part = letters.slice(0, end).join("");
      for (const streaming of whole ? [true, false] : [true]) {
        const root = renderMessage(part, {
          linkHosts: hosts,
          format: "markdown",
          streaming,
          citations: [{ n: 1, title: "<img src=x onerror=window.__pwned=1>", url: null }],
        });
        place.replaceChildren(root);
        drawn += 1;
        const strangers = strange(place, hosts);
        if (strangers.length) found[name] = strangers;
      }
    }
    // Handlers and loads start only once the page gets its turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return { found, drawn, pwned: window.__pwned ?? null, violations: window.__violations };
};

window.draw = (text, options) => {
  const root = renderMessage(text, { linkHosts: [], format: "markdown", ...options });
  document.getElementById("place").replaceChildren(root);
  const nodes = (element) =>
    Array.from(element.childNodes, (node) =>
      node.nodeType === Node.TEXT_NODE ? node.nodeValue : [node.tagName.toLowerCase(), ...nodes(node)],
    );
  return nodes(root);
};
window.ready = true;
