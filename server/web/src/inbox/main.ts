/** Starts the page that the document asks for. */

import { BugsPage } from "./bugs";
import { DeskPage } from "./desk";
import { OpsPage } from "./ops";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  const page = document.body.dataset["page"];
  if (page === "bugs") new BugsPage(root);
  else if (page === "ops") new OpsPage(root);
  else new DeskPage(root);
}
