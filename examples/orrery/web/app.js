// The example product: static pages with plausible contents, so that the widget has something to stand on.
const BASE = "/demo";

// Each page: title, lead, what stands in its bar and cards. `help` is the name that the page map points at.
const tool = (help, label, first) => ({ help, label, first });
const card = (help, title, text, action) => ({ help, title, text, action });
const PAGES = [
  { route: "/dashboard", group: "Work", title: "Dashboard", lead: "Good to see you. Three tasks are due today.",
    bar: [tool("dash-timer", "Start timer", true), tool("dash-new-project", "New project"), tool("dash-notifications", "Notifications")],
    table: [["Task", "Project", "Due"], ["Storyboard, second round", "Polar Launch", "Today"], ["Site visit notes", "Harbour House", "Today"], ["Offer for phase two", "Fern Street", "Today"]] },
  { route: "/projects", group: "Work", title: "Projects", lead: "12 active projects.",
    bar: [tool("projects-new", "New project", true), tool("projects-filter", "Archived"), tool("projects-templates", "Templates")],
    table: [["Project", "Client", "Budget used"], ["Polar Launch", "Polar Events", "64 %"], ["Harbour House", "Harbour Architects", "31 %"], ["Fern Street", "Fern Street", "88 %"]] },
  { route: "/projects/polar/board", group: "Work", title: "Board: Polar Launch", name: "Board", lead: "Due on 12 December.",
    bar: [tool("board-add-card", "Add card", true), tool("board-add-column", "Add column"), tool("board-share", "Share"), tool("board-settings", "Project settings")],
    columns: [["To do", "Storyboard, second round", "Music rights"], ["Doing", "Venue plan", "Invitations"], ["Done", "Kick-off", "Offer"]] },
  { route: "/timesheets", group: "Work", title: "Timesheets", lead: "Week 48: 21.5 of 40 hours.", trouble: "Recalculate week",
    bar: [tool("time-add", "Add time", true), tool("time-week", "Week view"), tool("time-submit", "Submit week"), tool("time-bin", "Bin")],
    table: [["Day", "Project", "Hours"], ["Mon", "Polar Launch", "7.5"], ["Tue", "Harbour House", "8.0"], ["Wed", "Fern Street", "6.0"]] },
  { route: "/reports", group: "Work", title: "Reports", lead: "Time by project, this month.", trouble: "Refresh chart",
    bar: [tool("reports-period", "Period"), tool("reports-export", "Export", true), tool("reports-save", "Save view"), tool("reports-schedule", "Schedule")],
    table: [["Project", "Hours", "Amount"], ["Polar Launch", "112", "9,520 EUR"], ["Harbour House", "64", "5,440 EUR"], ["Fern Street", "51", "4,335 EUR"]] },
  { route: "/invoices", group: "Money", title: "Invoices", lead: "Three are open, one is overdue.",
    bar: [tool("invoices-new", "New invoice", true), tool("invoices-templates", "Templates"), tool("invoices-reminders", "Reminders"), tool("invoices-taxes", "Taxes")],
    table: [["Number", "Client", "State"], ["2026-0114", "Polar Events", "Paid"], ["2026-0115", "Harbour Architects", "Open"], ["2026-0109", "Fern Street", "Overdue"]] },
  { route: "/invoices/new", group: "Money", title: "New invoice", lead: "Draft, not saved yet.",
    cards: [card("invoice-client", "Client", "Harbour Architects", "Choose"), card("invoice-add-time", "Add tracked time", "64 hours since 1 November", "Add"), card("invoice-tax", "Tax", "VAT 19 %", "Change")],
    bar: [tool("invoice-send", "Send", true)] },
  { route: "/clients", group: "Money", title: "Clients", lead: "28 clients.",
    bar: [tool("clients-new", "New client", true)],
    cards: [card("clients-currency", "Currency", "Harbour Architects is invoiced in GBP", "Change"), card("clients-invoicing", "Invoicing", "Template, tax rate and reminders", "Edit")] },
  { route: "/settings/billing", group: "Settings", title: "Billing", lead: "What Orrery costs you, and how you pay.",
    cards: [card("billing-change-plan", "Plan", "Business, 24 seats", "Change plan"), card("billing-payment-method", "Payment method", "Visa ending in 4242", "Change"), card("billing-seats", "Seats", "21 of 24 in use", "Add seats"), card("billing-period", "Billing period", "Monthly, next charge on 1 December", "Change billing period"), card("billing-details", "Billing details", "Company, address, VAT id", "Edit"), card("billing-history", "History", "Receipts since 2023", "History"), card("billing-cancel", "End the subscription", "The workspace stays usable until the period ends", "Cancel plan")] },
  { route: "/settings/members", group: "Settings", title: "Members", lead: "21 members, 2 invitations open.",
    bar: [tool("members-invite", "Invite member", true), tool("members-approvers", "Approvers")],
    cards: [card("members-role", "Nora Keller", "Admin", "Role"), card("members-resend", "jonas@studio.example", "Invited 3 days ago", "Resend")] },
  { route: "/settings/security", group: "Settings", title: "Security", lead: "Password, codes and sessions.",
    cards: [card("security-password", "Password", "Changed 8 months ago", "Change password"), card("security-email", "E-mail address", "you@studio.example", "Change"), card("security-2fa", "Two-factor authentication", "Off", "Set up"), card("security-sessions", "Sessions", "3 devices", "Show"), card("security-sso", "Single sign-on", "Not set up", "Configure")] },
  { route: "/settings/integrations", group: "Settings", title: "Integrations", lead: "Connect what you already use.",
    cards: [card("int-calendar", "Google Calendar", "Not connected", "Connect"), card("int-slack", "Slack", "Connected to Northlight", "Manage"), card("int-stripe", "Stripe", "Not connected", "Connect"), card("int-api-keys", "API keys", "1 key", "New key"), card("int-webhooks", "Webhooks", "None", "Add webhook")] },
  { route: "/settings/import-export", group: "Settings", title: "Import and export", lead: "Your data, in and out.",
    cards: [card("io-import", "Import CSV", "Projects, tasks, clients, time", "Import CSV"), card("io-export", "Export all data", "A zip of everything", "Start export"), card("io-storage", "Storage", "12 of 50 GB", "Show"), card("io-delete", "Delete workspace", "Can be restored for 30 days", "Delete workspace")] },
  { route: "/settings/notifications", group: "Settings", title: "Notifications", lead: "What you are told, and how.",
    cards: [card("notif-kinds", "E-mail", "Mentions and assigned tasks", "Change"), card("notif-quiet", "Quiet hours", "18:00 to 8:00", "Change"), card("notif-digest", "Digest", "Off", "Turn on")] },
  { route: "/clock/orders", group: "Clock", title: "Clock orders", lead: "Terminals on their way to you.",
    cards: [card("orders-list", "CLK-1310", "2 x Orrery Clock, shipped", "Open"), card("orders-track", "Delivery", "With the carrier", "Track delivery"), card("orders-return", "Changed your mind?", "30 days to return", "Return")] },
  { route: "/clock/devices", group: "Clock", title: "Clock devices", lead: "Two terminals.",
    bar: [tool("devices-add", "Add device", true), tool("devices-badges", "Badges")],
    cards: [card("devices-status", "Entrance", "Last seen a minute ago", "Details")] },
];

const el = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined && value !== false) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const here = () => location.pathname.slice(BASE.length).replace(/\/$/, "") || "/dashboard";
const current = () => PAGES.find((page) => page.route === here()) ?? PAGES.find((page) => /^\/projects\/[^/]+\/board$/.test(here()) && page.name === "Board") ?? PAGES[0];

function drawNav() {
  const nav = document.getElementById("nav");
  nav.replaceChildren();
  let group = "";
  for (const page of PAGES) {
    if (page.group !== group) nav.append(el("small", {}, (group = page.group)));
    nav.append(el("a", { href: BASE + page.route, "aria-current": page === current() ? "page" : undefined }, page.name ?? page.title));
  }
}

function drawPage() {
  const page = current();
  document.title = `${page.name ?? page.title} · Orrery`;
  const main = document.getElementById("page");
  main.replaceChildren(el("h1", {}, page.title), el("p", { class: "lead" }, page.lead));
  if (page.bar || page.trouble) {
    const bar = el("div", { class: "bar" }, ...(page.bar ?? []).map((b) => el("button", { type: "button", class: b.first ? "first" : undefined, "data-help": b.help }, b.label)));
    if (page.trouble) {
      const button = el("button", { type: "button" }, page.trouble);
      // Real trouble on the page, for seeing that its errors reach the agent.
      button.addEventListener("click", () => { throw new Error(`${page.title}: totals are undefined`); });
      bar.append(button);
    }
    main.append(bar);
  }
  for (const c of page.cards ?? []) {
    main.append(el("section", { class: "card", "data-help": c.help }, el("div", { class: "row" }, el("div", {}, el("h2", {}, c.title), el("p", {}, c.text)), el("button", { type: "button" }, c.action))));
  }
  if (page.table) {
    const [head, ...rows] = page.table;
    main.append(el("section", { class: "card" }, el("table", {}, el("thead", {}, el("tr", {}, ...head.map((t) => el("th", {}, t)))), el("tbody", {}, ...rows.map((r) => el("tr", {}, ...r.map((t) => el("td", {}, t))))))));
  }
  if (page.columns) {
    main.append(el("div", { class: "columns" }, ...page.columns.map(([name, ...cards]) => el("section", { class: "card" }, el("h2", {}, name), ...cards.map((t) => el("p", {}, t))))));
  }
}

function go(path) {
  history.pushState({}, "", path);
  draw();
  window.dispatchEvent(new CustomEvent("helpgraph:navigate"));
}

function draw() {
  drawNav();
  drawPage();
  document.body.classList.remove("menu");
}

async function signIn() {
  const select = document.getElementById("account");
  let users = [];
  try {
    users = await (await fetch(`${BASE}/accounts.json`)).json();
  } catch {
    // Without accounts the product works signed out.
  }
  const chosen = sessionStorage.getItem("orrery-user") ?? "";
  select.append(el("option", { value: "" }, "Nobody (signed out)"));
  for (const user of users) select.append(el("option", { value: user.user_id, selected: user.user_id === chosen }, `${user.name}, ${user.account} (${user.plan})`));
  select.addEventListener("change", () => {
    sessionStorage.setItem("orrery-user", select.value);
    location.reload();
  });
  let token;
  if (chosen) {
    try {
      token = (await (await fetch(`${BASE}/identity?user_id=${encodeURIComponent(chosen)}`)).json()).token;
    } catch {
      // Signed out then.
    }
  }
  document.body.append(el("script", { src: "/widget.js", "data-server": "", "data-workspace": "orrery", "data-route-base": BASE, "data-identity-token": token }));
}

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("nav a") : null;
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
document.getElementById("menu").addEventListener("click", () => document.body.classList.toggle("menu"));
window.addEventListener("popstate", draw);
draw();
signIn();
