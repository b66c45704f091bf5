/** Starts the page that the document asks for. */

import { BugsPage } from "./bugs";
import { DeskPage } from "./desk";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  if (document.body.dataset["page"] === "bugs") new BugsPage(root);
  else new DeskPage(root);
}
