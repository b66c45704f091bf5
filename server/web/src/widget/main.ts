/** The script tag: it reads its own attributes and puts one `<helpgraph-widget>` on the page. */

import { HelpgraphWidget } from "./element";

const NAME = "helpgraph-widget";

/** Where the script's server is. Of several workspaces on one host it is the one whose script this is. */
function home(script: string): string {
  const { origin, pathname } = new URL(script, location.href);
  return origin + (/^\/w\/[a-z0-9_-]+(?=\/widget\.js$)/.exec(pathname)?.[0] ?? "");
}

function start(script: HTMLScriptElement): void {
  if (document.querySelector(NAME)) return;
  const data = script.dataset;
  const widget = document.createElement(NAME) as HelpgraphWidget;
  widget.server = data["server"] || home(script.src);
  widget.workspace = data["workspace"] ?? "";
  widget.identityToken = data["identityToken"] ?? "";
  widget.userId = data["userId"] ?? "";
  widget.userHash = data["userHash"] ?? "";
  widget.language = data["language"] ?? "";
  widget.accent = data["accent"] ?? "";
  widget.routeBase = data["routeBase"] ?? "";
  widget.position = data["position"] === "left" ? "left" : "right";
  document.body.append(widget);
}

if (!customElements.get(NAME)) {
  customElements.define(NAME, HelpgraphWidget);
  const script = document.currentScript;
  // Pages that write the element themselves load the script with data-auto="false".
  if (script instanceof HTMLScriptElement && script.dataset["auto"] !== "false") {
    if (document.body) start(script);
    else document.addEventListener("DOMContentLoaded", () => start(script), { once: true });
  }
}
