"use strict";
// Everything that comes from tickets, articles and labels goes into text nodes and values, never into markup.

const FIELDS = ["category", "kind", "articles", "needs_person", "needs_person_reason", "complexity", "is_bug", "bug_id"];
const token = new URLSearchParams(location.hash.slice(1)).get("token") || "";
const $ = (id) => document.getElementById(id);
const radios = (name) => [...document.querySelectorAll(`input[name="${name}"]`)];

let setup = { has_articles: false };
let order = [];
let place = 0;
let labelled = 0;
let total = 0;
let current = null; // The ticket on the screen, as the server gave it.
let label = {}; // What this labeller says of it.
let saving = Promise.resolve();
let unsaved = null; // The last change that could not be saved: nothing else is shown before it is.
let actions = Promise.resolve();
let focusing = false; // A key that leads into a field waits for its turn: what is typed meanwhile is meant for there.

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function say(text, bad = false) {
  $("message").textContent = text;
  $("message").classList.toggle("bad", bad);
}

async function call(path, options = {}) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const response = await fetch(path, { ...options, headers });
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const detail = typeof body.detail === "string" ? body.detail : `the server answered ${response.status}`;
  throw new Error(detail);
}

// --- going through tickets --------------------------------------------------------------------------------------

async function loadOrder() {
  await saved();
  const query = new URLSearchParams({ show: $("show").value, sample: $("sample").value || "0", seed: $("seed").value || "0" });
  const found = await call(`api/order?${query}`);
  order = found.ticket_ids;
  labelled = found.labelled;
  total = found.total;
  place = 0;
  showProgress();
  $("main").hidden = order.length === 0;
  if (order.length === 0) {
    current = null;
    say("No ticket here: choose another filter above.");
    return;
  }
  say(found.left_out ? `${found.left_out} more tickets are left out here: draw a sample.` : "");
  await showTicket();
}

function showProgress() {
  $("bar").max = Math.max(1, total);
  $("bar").value = labelled;
  const where = order.length ? `, ticket ${place + 1} of ${order.length} shown` : "";
  $("progress").textContent = `${labelled} of ${total} labelled${where}`;
}

async function showTicket() {
  const ticket = await call(`api/ticket?${new URLSearchParams({ ticket_id: order[place] })}`);
  current = ticket;
  label = ticket.label || {};
  $("heading").textContent = ticket.ticket_id;
  $("facts").replaceChildren(...Object.entries(ticket.facts).filter(([, value]) => value !== null).map(([name, value]) => {
    const pair = element("div");
    pair.append(element("dt", name.replace("_", " ")), element("dd", String(value)));
    return pair;
  }));
  $("entries").replaceChildren(...ticket.entries.map((entry) => {
    const item = element("li", undefined, `entry ${entry.author}`);
    const head = element("header");
    head.append(element("b", entry.author), element("span", entry.at ? entry.at.slice(0, 16).replace("T", " ") : ""));
    const text = element("p", entry.text, "text");
    text.dir = "auto";
    item.append(head, text);
    return item;
  }));
  showKnown();
  showLabel();
  showProgress();
  $("conversation").scrollTop = 0;
}

function showKnown() {
  for (const line of document.querySelectorAll("[data-known]")) {
    line.textContent = current.known.filter((one) => one.field === line.dataset.known).map(told).join(" or ");
  }
}

function told(known) {
  return `${shown(known.value)} (${known.source === "gold" ? "gold" : `${known.rule}, ${known.confidence}`})`;
}

function shown(value) {
  if (Array.isArray(value)) return value.length ? value.join(", ") : "none";
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

async function step(by) {
  const next = place + by;
  if (next < 0 || next >= order.length) {
    say(by > 0 ? "That was the last one here." : "This is the first one here.");
    return;
  }
  await saved();
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  place = next;
  say("");
  await showTicket();
}

// --- what the labeller says -------------------------------------------------------------------------------------

function showLabel() {
  for (const select of document.querySelectorAll("select[data-field]")) {
    const value = label[select.dataset.field] ?? "";
    // A category may have left the workspace since.
    if (value && ![...select.options].some((option) => option.value === value)) addOption(select, value, value);
    select.value = value;
  }
  check("needs", label.needs_person === undefined || label.needs_person === null ? "" : String(label.needs_person));
  check("complexity", label.complexity || "");
  // What is being typed stays, when something said before is shown only now.
  if (document.activeElement !== $("bug_id")) $("bug_id").value = label.bug_id || "";
  $("none").checked = Array.isArray(label.articles) && label.articles.length === 0;
  $("chosen").replaceChildren(...(label.articles || []).map((article) => {
    const item = element("li", article);
    const button = element("button", "remove");
    button.type = "button";
    button.setAttribute("aria-label", `remove ${article}`);
    button.addEventListener("click", () => {
      const left = label.articles.filter((one) => one !== article);
      change({ articles: left.length ? left : null });
    });
    item.append(button);
    return item;
  }));
}

function check(name, value) {
  for (const radio of radios(name)) radio.checked = radio.value === value;
}

function isLabelled(one) {
  return FIELDS.some((field) => one[field] !== undefined && one[field] !== null);
}

function change(fields) {
  if (!current) return;
  const ticketId = current.ticket_id;
  const before = isLabelled(label);
  label = { ...label, ...fields };
  if (label.needs_person !== true) label.needs_person_reason = null;
  labelled += Number(isLabelled(label)) - Number(before);
  showLabel();
  showProgress();
  const body = JSON.stringify({ ticket_id: ticketId, label: Object.fromEntries(FIELDS.map((field) => [field, label[field] ?? null])) });
  // One after another: the last change must be the last line of the file.
  saving = saving.then(() => put(ticketId, body));
}

async function put(ticketId, body) {
  try {
    await call("api/label", { method: "PUT", body });
    unsaved = null;
    say(`Saved ${ticketId}.`);
  } catch (error) {
    unsaved = { ticketId, body };
    say(`NOT saved, ${ticketId}: ${error.message}`, true);
  }
}

async function saved() {
  await saving;
  if (!unsaved) return;
  await put(unsaved.ticketId, unsaved.body);
  if (unsaved) throw new Error($("message").textContent);
}

async function undo() {
  await saved();
  let undone;
  try {
    undone = await call("api/undo", { method: "POST" });
  } catch (error) {
    say(error.message, true);
    return;
  }
  const at = order.indexOf(undone.ticket_id);
  if (at >= 0) place = at;
  else order.splice(place, 0, undone.ticket_id);
  await recount();
  await showTicket();
  say(`Took back the last change, on ${undone.ticket_id}.`);
}

async function recount() {
  const query = new URLSearchParams({ show: $("show").value, sample: $("sample").value || "0", seed: $("seed").value || "0" });
  labelled = (await call(`api/order?${query}`)).labelled;
}

function acceptKnown() {
  const empty = (field) => label[field] === undefined || label[field] === null;
  const taken = current.known.filter((one) => FIELDS.includes(one.field) && one.sure && one.field !== "is_bug" && empty(one.field));
  if (!taken.length) say("Nothing more is known.");
  else change(Object.fromEntries(taken.map((one) => [one.field, one.value])));
}

// --- articles ---------------------------------------------------------------------------------------------------

let found = [];
let marked = 0;
let searched = 0;

async function search() {
  const query = $("article").value.trim();
  const wanted = ++searched;
  const results = setup.has_articles && query ? await call(`api/articles?${new URLSearchParams({ query })}`) : [];
  if (wanted !== searched) return;
  found = results;
  marked = 0;
  showFound();
}

function showFound() {
  $("found").hidden = found.length === 0;
  $("article").setAttribute("aria-expanded", String(found.length > 0));
  $("found").replaceChildren(...found.map((article, at) => {
    const item = element("li", `${article.title} (${article.id})`);
    item.id = `found-${at}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(at === marked));
    item.addEventListener("mousedown", (event) => {
      event.preventDefault();
      addArticle(article.id);
    });
    return item;
  }));
  if (found.length) $("article").setAttribute("aria-activedescendant", `found-${marked}`);
  else $("article").removeAttribute("aria-activedescendant");
}

function addArticle(article) {
  searched += 1;
  found = [];
  $("article").value = "";
  showFound();
  if (article) change({ articles: [...new Set([...(label.articles || []), article])] });
}

function takeArticle() {
  // Without an installation there is nothing to search: what was typed is the id.
  if (found.length) addArticle(found[marked].id);
  else if (!setup.has_articles) addArticle($("article").value.trim());
  else if ($("article").value.trim()) say("No article found by these words.");
}

function onArticleKey(event) {
  if (event.key === "Enter") {
    event.preventDefault();
    attempt(takeArticle);
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && found.length) {
    event.preventDefault();
    marked = (marked + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
    showFound();
    $(`found-${marked}`).scrollIntoView({ block: "nearest" });
  }
}

// --- keys -------------------------------------------------------------------------------------------------------

const FIELD_KEYS = { c: "category", r: "needs_person_reason", t: "kind", a: "article", b: "bug_id" };
const KEYS = {
  j: () => busy(() => step(1)),
  k: () => busy(() => step(-1)),
  u: () => busy(undo),
  s: acceptKnown,
  y: () => change({ needs_person: true }),
  n: () => change({ needs_person: false }),
  0: () => change({ articles: [] }),
  1: () => change({ complexity: "simple" }),
  2: () => change({ complexity: "moderate" }),
  3: () => change({ complexity: "complex" }),
  h: () => document.body.classList.toggle("hushed"),
};

function enter(field) {
  // Only another ticket is waited for; a search that is on its way would swallow what is typed next.
  if (!$("form").inert) {
    $(field).focus();
    return;
  }
  focusing = true;
  attempt(() => {
    focusing = false;
    $(field).focus();
  });
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = event.target;
  const typing = at instanceof HTMLSelectElement || (at instanceof HTMLInputElement && !["radio", "checkbox"].includes(at.type));
  if (event.key === "Escape" && at instanceof HTMLElement) at.blur();
  else if (event.key === "Enter" && at instanceof HTMLSelectElement) at.blur();
  else if (!typing && current) {
    const known = Object.hasOwn(KEYS, event.key) || Object.hasOwn(FIELD_KEYS, event.key);
    if (known || focusing) event.preventDefault();
    if (!known || focusing) return;
    if (Object.hasOwn(FIELD_KEYS, event.key)) enter(FIELD_KEYS[event.key]);
    else attempt(KEYS[event.key]);
  }
}

// What was asked for happens in that order: a key pressed while a ticket loads is about the ticket that comes.
function attempt(action) {
  actions = actions.then(action).catch((error) => say(error.message, true));
}

// While another ticket is on its way, nothing can be said about the one that is still seen.
async function busy(action) {
  $("form").inert = true;
  try {
    await action();
  } finally {
    $("form").inert = false;
  }
}

// --- start ------------------------------------------------------------------------------------------------------

function addOption(select, value, text) {
  const option = element("option", text);
  option.value = value;
  select.append(option);
}

function listen() {
  for (const id of ["show", "sample", "seed"]) $(id).addEventListener("change", () => attempt(() => busy(loadOrder)));
  for (const select of document.querySelectorAll("select[data-field]")) {
    select.addEventListener("change", () => {
      const value = select.value || null;
      attempt(() => change({ [select.dataset.field]: value }));
    });
  }
  for (const radio of radios("needs")) {
    radio.addEventListener("change", () => change({ needs_person: radio.value ? radio.value === "true" : null }));
  }
  for (const radio of radios("complexity")) {
    radio.addEventListener("change", () => change({ complexity: radio.value || null }));
  }
  $("bug_id").addEventListener("change", () => {
    const bugId = $("bug_id").value.trim();
    attempt(() => change(bugId ? { bug_id: bugId, is_bug: true } : { bug_id: null, is_bug: null }));
  });
  $("none").addEventListener("change", () => change({ articles: $("none").checked ? [] : null }));
  $("article").addEventListener("input", () => attempt(search));
  $("article").addEventListener("keydown", onArticleKey);
  $("form").addEventListener("submit", (event) => event.preventDefault());
  for (const [id, action] of [["accept", KEYS.s], ["undo", KEYS.u], ["previous", KEYS.k], ["next", KEYS.j]]) {
    $(id).addEventListener("click", () => attempt(action));
  }
  document.addEventListener("keydown", onKey);
  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });
}

async function start() {
  setup = await call("api/setup");
  $("labeller").textContent = setup.labeller;
  for (const [id, values] of [
    ["category", setup.categories.map((one) => [one.id, one.name])],
    ["kind", setup.kinds.map((one) => [one, one.replaceAll("_", " ")])],
    ["needs_person_reason", setup.reasons.map((one) => [one, one.replaceAll("_", " ")])],
  ]) {
    addOption($(id), "", "not said");
    for (const [value, text] of values) addOption($(id), value, text);
  }
  $("article").placeholder = setup.has_articles ? "search by words of the title" : "an article's id, then Enter";
  if (setup.blind) document.body.classList.add("hushed");
  listen();
  await busy(loadOrder);
}

document.addEventListener("DOMContentLoaded", () => attempt(start));
