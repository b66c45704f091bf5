// The example product: pages with plausible contents, so that the help widget has something to stand on.
// Nothing is stored; buttons answer with a short note.
// Beside other workspaces the example is served below a path of its own.
const BASE = new URL(".", document.currentScript.src).pathname.replace(/\/$/, "");
const SERVER = BASE.replace(/\/demo$/, "");
const STORED_USER = "orrery-user";

// --- building blocks ---------------------------------------------------------------------------------------------

const el = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== undefined));
  return node;
};
const svg = (tag, attributes = {}, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

let toastTimer;
function say(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.classList.add("on");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("on"), 2600);
}

const button = (label, { help, kind, click, name } = {}) =>
  el("button", { type: "button", class: kind, "data-help": help, "aria-label": name, click: click ?? (() => say(`${label}: this is an example, nothing was changed.`)) }, label);
const chip = (text, kind) => el("span", { class: kind ? `chip ${kind}` : "chip" }, text);
const card = (title, text, { help, action, id, danger } = {}, ...more) =>
  el("section", { class: danger ? "card danger" : "card", "data-help": help, id },
    el("div", { class: "row" }, el("div", {}, el("h2", {}, title), text ? el("p", {}, text) : undefined), action ?? []), more);
const field = (label, control, help) => el("label", { class: "field", "data-help": help }, el("span", {}, label), control);
const select = (...options) => el("select", {}, options.map((text) => el("option", {}, text)));
const input = (attributes) => el("input", { type: "text", ...attributes });
const check = (label, on, help) => el("label", { class: "check", "data-help": help }, el("input", { type: "checkbox", checked: on }), label);
const fields = (...controls) => el("div", { class: "fields" }, controls);
const bar = (...controls) => el("div", { class: "bar" }, controls);
const head = (title, lead, ...tools) => el("div", { class: "head" }, el("div", {}, el("h1", {}, title), el("p", { class: "lead" }, lead)), bar(...tools));
const meter = (share, name) => el("progress", { max: 100, value: share, "aria-label": name });
/** A table; a column name that ends in # holds numbers. */
function table(columns, rows) {
  const number = columns.map((name) => name.endsWith("#"));
  const cells = (row) => row.map((cell, i) => el("td", { class: number[i] ? "num" : undefined }, cell));
  return el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `Table: ${columns.filter((name) => name).join(", ").replaceAll("#", "")}` },
    el("table", {},
      el("thead", {}, el("tr", {}, columns.map((name, i) => el("th", { class: number[i] ? "num" : undefined, scope: "col" }, name.replace("#", ""))))),
      el("tbody", {}, rows.map((row) => el("tr", {}, cells(row))))));
}
const tile = (value, label) => el("div", { class: "card tile" }, el("b", {}, value), el("span", {}, label));
const open = (path, label, help, kind) => button(label, { help, kind, click: () => go(BASE + path) });
/** Buttons of which one is chosen. */
function choice(names, chosen, help) {
  const group = el("div", { class: "seg", role: "group", "data-help": help });
  const pick = (event) => [...group.children].forEach((other) => other.setAttribute("aria-pressed", String(other === event.currentTarget)));
  group.append(...names.map((name) => el("button", { type: "button", "aria-pressed": String(name === chosen), click: pick }, name)));
  return group;
}

// --- who is signed in --------------------------------------------------------------------------------------------

const me = { name: "", account: "Demo workspace", plan: "business" };
const PLANS = { free: ["Free", 0], team: ["Team", 9], business: ["Business", 18], enterprise: ["Enterprise", 24] };
const euros = (amount) => `${amount.toLocaleString("en", { minimumFractionDigits: 2 })} EUR`;

// --- pages -------------------------------------------------------------------------------------------------------

const PROJECTS = [
  ["Polar Launch", "Polar Events", 64, "12 Dec 2026", "polar"],
  ["Harbour House", "Harbour Architects", 31, "26 Feb 2027", "harbour"],
  ["Fern Street website", "Fern Street", 88, "4 Dec 2026", "fern"],
  ["Autumn catalogue", "Kiln Ceramics", 97, "27 Nov 2026", "autumn"],
  ["Season trailer", "Odeon Sound", 12, "19 Mar 2027", "season"],
];

function dashboard() {
  const play = (name) => button("▶", { kind: "small", name: `Start timer on ${name}`, click: () => startTimer(name) });
  return [
    head(me.name ? `Good morning, ${me.name.split(" ")[0]}` : "Good morning", "Monday, 23 November 2026. Three tasks are due today.",
      open("/settings/notifications", "Notifications", "dash-notifications"), open("/projects", "New project", "dash-new-project", "first")),
    el("div", { class: "tiles" }, tile("21.5 h", "tracked last week"), tile("5", "active projects"), tile("14,320 EUR", "in open invoices"), tile("2", "timesheets to approve")),
    el("div", { class: "grid" },
      card("Due today", "", { help: "dash-today" },
        table(["Task", "Project", ""], [["Storyboard, second round", "Polar Launch"], ["Site visit notes", "Harbour House"], ["Proofs to the printer", "Autumn catalogue"]].map(([task, project]) => [task, project, el("div", { class: "acts" }, play(task))]))),
      card("Budgets", "", {}, table(["Project", "Used"], PROJECTS.slice(0, 4).map(([name, , share]) => [name, el("span", {}, meter(share, `${name}: budget used`), ` ${share} %`)])))),
    card("Latest", "", {}, table(["When", "What"], [["9:12", "Nora moved “Venue plan” to Doing"], ["8:47", "Invoice 2026-0114 was paid by Polar Events"], ["Fri", "Jonas commented on “Offer for phase two”"]])),
    el("p", { class: "soft" }, "All parts of Orrery work. ", el("a", { class: "link", href: "https://status.orrery.example", rel: "noreferrer", "data-help": "dash-status" }, "System status")),
  ];
}

function projects() {
  return [
    head("Projects", "5 active projects, 7 archived.", button("Templates", { help: "projects-templates" }), button("New project", { help: "projects-new", kind: "first" })),
    bar(choice(["Active", "Archived", "All"], "Active", "projects-filter")),
    el("section", { class: "card", "data-help": "projects-list" },
      table(["Project", "Client", "Budget used", "Due", ""], PROJECTS.map(([name, client, share, due, id]) =>
        [el("strong", {}, name), client, el("span", {}, meter(share, `${name}: budget used`), ` ${share} %`), due, el("div", { class: "acts" }, open(`/projects/${id}/board`, "Open board", undefined, "small"))]))),
  ];
}

const COLUMNS = [
  ["To do", [["Storyboard, second round", "NK", "24 Nov"], ["Music rights", "JB", "27 Nov"], ["Badges for the crew", "LS", "1 Dec"]]],
  ["Doing", [["Venue plan", "NK", "25 Nov"], ["Invitations", "AM", "26 Nov"]]],
  ["Done", [["Kick-off", "NK", "2 Nov"], ["Offer for phase one", "JB", "6 Nov"]]],
];

function board() {
  const found = PROJECTS.find((project) => here().split("/")[2] === project[4]) ?? PROJECTS[0];
  let dragged;
  const columns = COLUMNS.map(([name, cards], i) => {
    const list = el("section", { class: "column" }, el("h2", {}, name, chip(String(cards.length))),
      cards.map(([title, who, due]) => el("article", { class: "ticket", draggable: "true", dragstart: (event) => { dragged = event.currentTarget; } }, title, el("small", {}, el("span", {}, who), el("span", {}, due)))),
      button("Add card", { help: i === 0 ? "board-add-card" : undefined, kind: "ghost" }));
    list.addEventListener("dragover", (event) => { event.preventDefault(); list.classList.add("over"); });
    list.addEventListener("dragleave", () => list.classList.remove("over"));
    list.addEventListener("drop", (event) => {
      event.preventDefault();
      list.classList.remove("over");
      if (dragged) list.insertBefore(dragged, list.lastElementChild);
      for (const column of columns) column.querySelector(".chip").textContent = column.querySelectorAll(".ticket").length;
    });
    return list;
  });
  return [
    head(found[0], `Board for ${found[1]}, due on ${found[3]}.`, button("Filter", { help: "board-filter" }), button("Share", { help: "board-share" }), button("Project settings", { help: "board-settings" }), button("Add column", { help: "board-add-column", kind: "first" })),
    el("div", { class: "boardwrap" },
      el("div", { class: "columns" }, columns),
      card("Storyboard, second round", "To do, assigned to Nora Keller", {},
        field("Due date", input({ type: "date", value: "2026-11-24" })),
        field("Repeat", select("Does not repeat", "Every day", "Every week", "Every month", "Every year"), "board-repeat"),
        field("Dependencies: waits for", select("No other task", "Venue plan", "Music rights"), "board-dependencies"),
        bar(button("Attach file", { kind: "small" }), button("Save", { kind: "small first" })),
        el("p", { class: "soft" }, "Jonas, Friday: The client likes version B."),
        el("div", { "data-help": "board-comment" }, field("Write a comment", el("textarea", { placeholder: "Type @ to mention someone" })), el("div", { class: "row" }, check("Visible to client", false), button("Send", { kind: "small" }))))),
  ];
}

function timesheets() {
  const days = [["Mon", "16", "7.5"], ["Tue", "17", "8.0"], ["Wed", "18", "6.0"], ["Thu", "19", "0.0"], ["Fri", "20", "0.0"], ["Sat", "21", "0.0"], ["Sun", "22", "0.0"]];
  const week = el("div", { class: "week", role: "group", "aria-label": "Week view", "data-help": "time-week" });
  const pick = (event) => [...week.children].forEach((day) => day.setAttribute("aria-pressed", String(day === event.currentTarget)));
  week.append(...days.map(([name, date, hours], i) => el("button", { type: "button", "aria-pressed": String(i === 2), click: pick }, el("small", {}, `${name} ${date}`), el("b", {}, hours))));
  const recalculate = () => {
    // Real trouble on the page, for seeing that its errors reach the agent.
    console.error("Timesheet sync failed: 504 from /api/v2/timesheets/2026-W47");
    say("The week could not be recalculated.");
  };
  return [
    head("Timesheets", "Week 47, 16 to 22 November: 21.5 of 40 hours.",
      button("Recalculate week", { click: recalculate }), button("Bin", { help: "time-bin" }), button("Approvals (2)", { help: "time-approvals" }), button("Submit week", { help: "time-submit" }), button("Add time", { help: "time-add", kind: "first" })),
    el("section", { class: "card" }, week),
    card("Wednesday, 18 November", "6.0 hours", {},
      table(["Project", "Task", "Note", "Duration#", ""], [
        ["Polar Launch", "Venue plan", "Second draft with the caterer's corner", "3:30"],
        ["Harbour House", "Site visit", "", "1:45"],
        ["Fern Street website", "Copy", "Home and About", "0:45"],
      ].map((row) => [...row, el("div", { class: "acts" }, button("Edit", { kind: "small" }), button("Delete", { kind: "small" }))]))),
    el("section", { class: "card" },
      el("h2", {}, "New entry"),
      el("div", { class: "fields", "data-help": "time-entry" }, field("Project", select(...PROJECTS.map(([name]) => name))), field("Task", select("Venue plan", "Storyboard, second round", "Invitations")), field("Duration", input({ placeholder: "1:30" })), field("Note", input({}))),
      el("div", { class: "row" }, check("Billable", true), button("Save", { help: "time-save", kind: "first" }))),
  ];
}

function reports() {
  const rows = [["Polar Launch", 112], ["Harbour House", 64], ["Fern Street website", 51], ["Autumn catalogue", 43], ["Season trailer", 9]];
  const refresh = () => {
    const answer = {};
    // Real trouble on the page, for seeing that its errors reach the agent.
    return answer.report.totals;
  };
  const bars = rows.flatMap(([name, hours], i) => [
    svg("rect", { x: 40 + i * 150, y: 140 - hours, width: 70, height: hours, rx: 5 }),
    svg("text", { x: 75 + i * 150, y: 130 - hours }, `${hours} h`),
    svg("text", { x: 75 + i * 150, y: 158 }, name),
  ]);
  return [
    head("Reports", "Time by project.", button("Refresh chart", { click: refresh }), button("Save view", { help: "reports-save" }), button("Schedule", { help: "reports-schedule" }), button("Export", { help: "reports-export", kind: "first", click: () => document.getElementById("export").scrollIntoView({ block: "center" }) })),
    el("section", { class: "card" }, fields(
      field("Period", select("This month", "Last month", "This quarter", "This year", "Other dates"), "reports-period"),
      el("div", { class: "row", "data-help": "reports-group" }, field("Group by", select("Project", "Client", "Person", "Task")), button("Add grouping", { kind: "small" })),
      field("Filter", select("All clients", "Polar Events", "Harbour Architects", "Fern Street"), "reports-filter"))),
    el("section", { class: "card" }, svg("svg", { class: "chart", viewBox: "0 0 760 165", role: "img", "aria-label": "Hours by project" }, svg("line", { x1: 20, y1: 141, x2: 740, y2: 141 }), ...bars)),
    el("section", { class: "card" }, table(["Project", "Hours#", "Billable#", "Amount#"], rows.map(([name, hours]) => [name, `${hours}.0`, `${Math.round(hours * 0.86)}.0`, euros(Math.round(hours * 0.86) * 85)]))),
    card("Export", "The file has the same period, filters and groups as the report above.", { id: "export" },
      el("div", { class: "row" }, el("div", { "data-help": "reports-format", "data-help-label": "Format" }, choice(["CSV", "XLSX", "PDF"], "CSV")), check("Semicolons", false), check("Hours and minutes", false), button("Download", { help: "reports-download", kind: "first" }))),
  ];
}

function invoices() {
  const rows = [
    ["2026-0117", "Kiln Ceramics", "18 Nov 2026", 3680, chip("Draft")],
    ["2026-0116", "Odeon Sound", "9 Nov 2026", 5440, chip("Open", "info")],
    ["2026-0115", "Harbour Architects", "2 Nov 2026", 8880, chip("Open", "info")],
    ["2026-0114", "Polar Events", "28 Oct 2026", 9520, chip("Paid", "good")],
    ["2026-0109", "Fern Street", "1 Oct 2026", 2240, chip("Overdue", "bad")],
  ];
  return [
    head("Invoices", "Two are open, one is overdue.", button("Templates", { help: "invoices-templates" }), button("Taxes", { help: "invoices-taxes" }), button("Reminders", { help: "invoices-reminders", click: () => document.getElementById("reminders").scrollIntoView({ block: "center" }) }), open("/invoices/new", "New invoice", "invoices-new", "first")),
    el("section", { class: "card" }, table(["Number", "Client", "Date", "Amount#", "State", ""], rows.map(([number, client, date, amount, state], i) =>
      [el("strong", {}, number), client, date, euros(amount), state, el("div", { class: "acts" }, i > 0 && i !== 3 ? button("Record payment", { kind: "small", help: i === 1 ? "invoices-record" : undefined }) : [], i > 0 ? button("Create credit note", { kind: "small", help: i === 1 ? "invoices-credit" : undefined }) : button("Edit", { kind: "small" }))]))),
    card("Reminders", "3, 7 and 14 days after the due date, at 9:00.", { id: "reminders", action: check("Automatic reminders", true, "invoices-auto") },
      field("Text of the first reminder", el("textarea", {}, "Dear {contact}, our invoice {invoice_number} was due on {due_date}. Perhaps it slipped through?")),
      bar(button("Save", { help: "invoices-reminders-save", kind: "first" }), button("Preview"))),
  ];
}

function newInvoice() {
  return [
    head("New invoice", "Draft, not saved yet.", button("Save draft", { help: "invoice-save" }), button("Send", { help: "invoice-send", kind: "first" })),
    el("section", { class: "card" }, fields(field("Client", select("Harbour Architects", "Polar Events", "Fern Street", "Kiln Ceramics"), "invoice-client"), field("Invoice date", input({ type: "date", value: "2026-11-23" })), field("Due date", input({ type: "date", value: "2026-12-07" })))),
    card("Tracked time", "64 billable hours of Harbour Architects are not invoiced yet.", { action: button("Add tracked time", { help: "invoice-add-time", kind: "first" }) },
      el("div", { class: "fields", "data-help": "invoice-group" }, field("Projects", select("Harbour House", "All projects of this client")), field("Period", select("1 to 23 November 2026", "Last month", "Other dates")), field("Group lines by", select("Task", "Person", "Day")))),
    card("Lines", "", { action: bar(button("Add line"), button("Add expense", { help: "invoice-expense" })) },
      table(["Description", "Hours#", "Rate#", "Tax", "Amount#"], [
        ["Site visits", "22.0", "85.00", el("select", { "aria-label": "Tax", "data-help": "invoice-tax" }, ["VAT 19 %", "VAT 7 %", "Reverse charge"].map((text) => el("option", {}, text))), "1,870.00"],
        ["Drawings, phase two", "42.0", "85.00", el("select", { "aria-label": "Tax" }, ["VAT 19 %", "VAT 7 %", "Reverse charge"].map((text) => el("option", {}, text))), "3,570.00"],
      ]),
      el("div", { class: "row" }, check("Prices include tax", false), el("p", {}, "Subtotal 5,440.00 EUR, VAT 1,033.60 EUR, ", el("strong", {}, "total 6,473.60 EUR")))),
  ];
}

function clients() {
  const rows = [["Harbour Architects", "Mira Holt", "GBP", 2], ["Polar Events", "Aino Salmi", "EUR", 1], ["Fern Street", "Leo Park", "EUR", 1], ["Kiln Ceramics", "Ines Duarte", "EUR", 1], ["Odeon Sound", "Tom Reyes", "USD", 1]];
  return [
    head("Clients", "5 clients.", button("New client", { help: "clients-new", kind: "first" })),
    el("section", { class: "card" }, table(["Client", "Contact", "Currency", "Projects#", ""], rows.map(([name, contact, currency, count]) => [el("strong", {}, name), contact, currency, String(count), el("div", { class: "acts" }, button("Open", { kind: "small" }))]))),
    card("Harbour Architects", "Invoicing", { help: "clients-invoicing" },
      fields(field("Currency", select("GBP", "EUR", "USD", "CHF"), "clients-currency"), field("Template", select("Standard", "Second brand")), field("Tax rate", select("VAT 19 %", "VAT 7 %", "Reverse charge")), field("VAT id", input({ value: "GB000000000" }))),
      el("div", { class: "row" }, check("Send payment reminders", true, "clients-reminders"), button("Save", { help: "clients-save", kind: "first" }))),
  ];
}

function billing() {
  const [name, price] = PLANS[me.plan] ?? PLANS.business;
  const seats = 24;
  const receipts = ["1 Nov 2026", "1 Oct 2026", "1 Sep 2026", "1 Aug 2026"];
  return [
    head("Billing", "What Orrery costs you, and how you pay."),
    el("div", { class: "grid" },
      card("Plan", `${name}, ${euros(price)} per user and month`, { action: button("Change plan", { help: "billing-change-plan", kind: "first" }) }),
      card("Billing period", "Monthly, next charge on 1 December 2026", { action: button("Change billing period", { help: "billing-period" }) }),
      card("Seats", `21 of ${seats} in use`, { help: "billing-seats", action: bar(button("Add seats"), button("Remove seats")) }, el("progress", { class: "wide", max: seats, value: 21, "aria-label": "Seats in use" })),
      card("Payment method", "Visa ending in 4242, valid until 08/2028", { help: "billing-payment-method", action: button("Change") }),
      card("Billing details", `${me.account}, Speicherstr. 4, 20457 Hamburg, VAT id DE000000000`, { help: "billing-details", action: button("Edit") }),
      card("Receipts by e-mail", "Each receipt goes to one address on the day of the charge.", { help: "billing-receipts-email", action: button("Save") }, field("Address", input({ type: "email", placeholder: "bookkeeping@studio.example" })))),
    card("History", "Receipts of what Orrery charged you.", { help: "billing-history", action: button("Download all") },
      table(["Date", "Number", "Amount#", "State", ""], receipts.map((date, i) => [date, `ORR-2026-${String(4410 - i * 391)}`, euros(price * seats), chip("Paid", "good"), el("div", { class: "acts" }, button("Download PDF", { kind: "small" }))]))),
    card("End the subscription", "The workspace stays usable until the end of the paid period.", { danger: true, action: button("Cancel plan", { help: "billing-cancel", kind: "bad" }) }),
  ];
}

function members() {
  const people = [["Nora Keller", "nora@studio.example", "Owner"], ["Jonas Brandt", "jonas@studio.example", "Admin"], ["Ana Moreno", "ana@studio.example", "Manager"], ["Lea Sommer", "lea@studio.example", "Member"], ["Mira Holt", "mira@harbour.example", "Client"]];
  const roles = ["Owner", "Admin", "Manager", "Member", "Client"];
  const role = (chosen, help) => el("select", { "aria-label": "Role", "data-help": help }, roles.map((name) => el("option", { selected: name === chosen }, name)));
  return [
    head("Members", "21 members, 1 invitation open, 3 free seats.", button("Approvers", { help: "members-approvers" }), button("Invite member", { help: "members-invite", kind: "first", click: () => document.getElementById("addresses").focus() })),
    card("Invite people", "An invitation is valid for 7 days.", {},
      el("div", { class: "fields", "data-help": "members-addresses", "data-help-label": "E-mail addresses" }, field("E-mail addresses", input({ id: "addresses", placeholder: "eva@studio.example, tim@studio.example" })), field("Role", select("Member", "Manager", "Admin"))),
      bar(button("Send invitation", { help: "members-send", kind: "first" }))),
    el("section", { class: "card" }, table(["Name", "E-mail", "Role", ""], people.map(([name, mail, is], i) =>
      [el("strong", {}, name), mail, role(is, i === 1 ? "members-role" : undefined), el("div", { class: "acts" }, i === 1 ? button("Transfer ownership", { kind: "small", help: "members-transfer" }) : [], i > 0 ? button("Remove from workspace", { kind: "small", help: i === 3 ? "members-remove" : undefined }) : [])]))),
    card("Pending invitations", "", {}, table(["E-mail", "Role", "Sent", ""], [["eva@studio.example", "Member", "3 days ago", el("div", { class: "acts" }, button("Resend", { kind: "small", help: "members-resend" }), button("Revoke", { kind: "small" }))]])),
  ];
}

function qr() {
  const squares = [];
  for (let y = 0; y < 21; y += 1) for (let x = 0; x < 21; x += 1) {
    const corner = [[0, 0], [14, 0], [0, 14]].find(([cx, cy]) => x >= cx && x < cx + 7 && y >= cy && y < cy + 7);
    const ring = corner && Math.max(Math.abs(x - corner[0] - 3), Math.abs(y - corner[1] - 3));
    if (corner ? ring !== 2 : (x * 7 + y * 13 + x * y) % 5 < 2) squares.push(svg("rect", { x, y, width: 1, height: 1 }));
  }
  return svg("svg", { class: "qr", viewBox: "0 0 21 21", role: "img", "aria-label": "QR code for the authenticator app" }, ...squares);
}

function security() {
  const sessions = [["This browser", "Hamburg", "now"], ["Phone", "Hamburg", "2 hours ago"], ["Firefox on Linux", "Berlin", "6 days ago"]];
  return [
    head("Security", "How you sign in, and where you are signed in."),
    el("div", { class: "grid" },
      card("E-mail address", "you@studio.example", { help: "security-email", action: button("Change") }),
      card("Password", "Changed 8 months ago", { action: button("Change password", { help: "security-password" }) })),
    card("Two-factor authentication", "Off. Codes come from an authenticator app.", { action: button("Set up", { help: "security-2fa", kind: "first", name: "Set up two-factor authentication" }) },
      el("div", { class: "row" }, qr(),
        el("div", { "data-help": "security-2fa-code" }, fields(field("Six-digit code", input({ inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6 })), bar(button("Turn on")))),
        button("New recovery codes", { help: "security-recovery" })),
      check("Require two-factor for everyone", false)),
    card("Sessions", "Browsers and phones that are signed in to your account.", { help: "security-sessions", action: button("Sign out everywhere", { help: "security-sign-out-all" }) },
      table(["Device", "Place", "Last active", ""], sessions.map((row, i) => [...row, el("div", { class: "acts" }, i ? button("Sign out", { kind: "small" }) : chip("This one", "info"))]))),
    card("Single sign-on", "SAML 2.0, on Business and Enterprise.", { help: "security-sso", action: bar(button("Test connection"), button("Turn on SSO")) },
      fields(field("Entity ID", input({ readonly: true, value: "https://app.orrery.example/saml" })), field("ACS URL", input({ readonly: true, value: "https://app.orrery.example/saml/acs" })))),
  ];
}

function integrations() {
  return [
    head("Integrations", "Connect what you already use."),
    el("div", { class: "grid" },
      card("Google Calendar", "Tasks in your calendar, events in your timesheet.", { help: "int-calendar", action: button("Connect", { name: "Connect Google Calendar" }) }),
      card("Slack", "Connected. Posts to 3 channels.", { help: "int-slack", action: button("Disconnect", { name: "Disconnect Slack" }) }),
      card("Stripe", "Lets clients pay invoices online.", { help: "int-stripe", action: button("Connect", { name: "Connect Stripe" }) }),
      card("Zapier", "Needs an API key.", { help: "int-zapier", action: button("Show how") })),
    card("API keys", "600 requests a minute for each key.", { help: "int-api-keys", action: button("New key", { help: "int-new-key", kind: "first" }) },
      table(["Name", "Rights", "Made by", "Last used", ""], [["Nightly export", "Read only", "Nora Keller", "Today, 3:00", el("div", { class: "acts" }, button("Delete", { kind: "small" }))], ["Zapier", "Read and write", "Jonas Brandt", "4 days ago", el("div", { class: "acts" }, button("Delete", { kind: "small" }))]]),
      el("div", { class: "fields", "data-help": "int-key-form", "data-help-label": "Name and rights" }, field("Name of the new key", input({ placeholder: "Bookkeeping" })), field("Rights", select("Read only", "Read and write")))),
    card("Webhooks", "Orrery calls your address when something happens.", { help: "int-webhooks", action: button("Add webhook") },
      table(["Address", "Events", "State", ""], [["https://hooks.studio.example/orrery", "task.done, invoice.paid", chip("Active", "good"), el("div", { class: "acts" }, button("Send test", { kind: "small" }), button("Deliveries", { kind: "small" }))]])),
  ];
}

function importExport() {
  return [
    head("Import and export", "Your data, in and out."),
    card("Import CSV", "UTF-8, up to 20 MB, with the column names in the first row.", { action: button("Import CSV", { help: "io-import", kind: "first", click: () => document.getElementById("csv").focus() }) },
      fields(el("div", { class: "row", "data-help": "io-kind", "data-help-label": "What is in the file" }, field("What is in the file", select("Tasks", "Projects", "Clients", "Time entries")), button("Sample file", { kind: "small" })), field("CSV file", input({ type: "file", accept: ".csv", id: "csv" }), "io-file"), bar(button("Start import", { help: "io-start" })))),
    card("Export all data", "A zip of everything. The link comes by e-mail within 24 hours.", { help: "io-export", action: bar(check("Include files", true), button("Start export", { kind: "first" })) }),
    card("My data", "Your own profile, time entries and comments.", { help: "io-my-data", action: button("Export my data") }),
    card("Storage", "12.4 of 50 GB used", { help: "io-storage" }, el("progress", { class: "wide", max: 50, value: 12.4, "aria-label": "Storage used" }),
      table(["Project", "Space#"], [["Season trailer", "6.1 GB"], ["Polar Launch", "3.8 GB"], ["Autumn catalogue", "1.6 GB"]])),
    card("Delete workspace", "An owner can restore it for 30 days.", { danger: true, action: button("Delete workspace", { help: "io-delete", kind: "bad" }) }),
  ];
}

function notifications() {
  const box = (name, on) => el("input", { type: "checkbox", checked: on, "aria-label": name });
  const kinds = [["Mentions", true, true, true], ["Assigned tasks", true, true, false], ["Due dates", true, false, true], ["Timesheets to approve", true, true, false], ["Invoices paid", true, false, false]];
  return [
    head("Notifications", "What you are told, and how.", button("Save", { help: "notif-save", kind: "first" })),
    el("section", { class: "card", "data-help": "notif-kinds", "data-help-label": "Kinds of notifications" }, table(["Kind", "In Orrery", "E-mail", "Phone"], kinds.map(([name, ...on]) => [name, ...["in Orrery", "by e-mail", "on the phone"].map((way, i) => box(`${name} ${way}`, on[i]))]))),
    el("div", { class: "grid" },
      card("Quiet hours", "Nothing is sent in this time.", { help: "notif-quiet" }, fields(field("From", input({ type: "time", value: "18:00" })), field("To", input({ type: "time", value: "08:00" })))),
      card("Digest", "One summary by e-mail at 18:00 instead of single messages.", { help: "notif-digest" }, check("Digest", false))),
  ];
}

function orders() {
  return [
    head("Clock orders", "Terminals and badges that you ordered.", button("Order terminals", { kind: "first" })),
    el("section", { class: "card", "data-help": "orders-list", "data-help-label": "Orders" }, table(["Order", "Date", "Items", "State", ""], [
      [el("strong", {}, "CLK-1342"), "20 Nov 2026", "1 Orrery Clock, 25 badges", chip("Processing", "warn"), el("div", { class: "acts" }, button("Edit address", { kind: "small", help: "orders-address" }), button("Cancel order", { kind: "small" }))],
      [el("strong", {}, "CLK-1310"), "12 Nov 2026", "2 Orrery Clocks", chip("Shipped", "info"), el("div", { class: "acts" }, button("Track delivery", { kind: "small", help: "orders-track" }))],
      [el("strong", {}, "CLK-1204"), "2 Nov 2026", "1 Orrery Clock", chip("Delivered", "good"), el("div", { class: "acts" }, button("Return", { kind: "small", help: "orders-return" }), button("Warranty claim", { kind: "small", help: "orders-warranty" }))],
    ])),
    card("CLK-1310", "2 Orrery Clocks, handed to the carrier on 16 November, expected on 24 November 2026.", {},
      table(["When", "Where"], [["20 Nov, 6:40", "Sorted in Hanover"], ["18 Nov, 21:15", "Left the warehouse in Leipzig"], ["16 Nov, 15:02", "Handed to the carrier"]])),
  ];
}

function devices() {
  return [
    head("Clock devices", "Two terminals, 34 badges.", button("Add device", { help: "devices-add", kind: "first", click: () => say("Pairing code: 418 206, valid for 15 minutes.") })),
    el("section", { class: "card", "data-help": "devices-status", "data-help-label": "Last seen" }, table(["Terminal", "Network", "Last seen", "Stored#", "State", ""], [
      [el("strong", {}, "Entrance"), "Studio", "a minute ago", "0", chip("Online", "good"), el("div", { class: "acts" }, button("Change Wi-Fi", { kind: "small", help: "devices-wifi" }), button("Remove device", { kind: "small" }))],
      [el("strong", {}, "Workshop"), "Studio-Guest", "3 days ago", "312", chip("Offline", "warn"), el("div", { class: "acts" }, button("Change Wi-Fi", { kind: "small" }), button("Remove device", { kind: "small" }))],
    ])),
    card("Badges", "33 assigned, 1 unassigned", { help: "devices-badges", action: button("Assign badge", { help: "devices-assign" }) },
      table(["Badge", "Person", "Last used", ""], [["0A-41-7C", "Nora Keller", "Today, 8:58", 1], ["0A-41-80", "Jonas Brandt", "Today, 9:04", 0], ["0A-42-11", "Unassigned", "", 0]].map(([badge, person, used, first]) => [badge, person, used, el("div", { class: "acts" }, button("Block", { kind: "small", help: first ? "devices-block" : undefined }))]))),
  ];
}

function missing() {
  return [head("Page not found", "There is nothing at this address.", open("/dashboard", "Go to the dashboard", undefined, "first"))];
}

const ICONS = {
  grid: "M3 3h7v7H3zM14 3h7v7h-7zM3 14h7v7H3zM14 14h7v7h-7z", folder: "M3 6h6l2 3h10v10H3z", columns: "M4 4h4v16H4zM10 4h4v11h-4zM16 4h4v7h-4z", clock: "M12 3a9 9 0 1 0 .01 0zM12 7v5l3 2",
  chart: "M4 20V10M10 20V4M16 20v-7M21 20H3", paper: "M6 3h9l4 4v14H6zM9 12h7M9 16h7", plus: "M12 5v14M5 12h14", people: "M9 11a3 3 0 1 0-.01 0zM3 20c0-4 12-4 12 0M17 11a2.5 2.5 0 1 0-.01 0M17 15c3 0 4 2 4 4",
  card: "M3 6h18v12H3zM3 10h18", lock: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3", plug: "M9 3v6M15 3v6M6 9h12v3a6 6 0 0 1-12 0zM12 18v3", swap: "M4 8h14l-4-4M20 16H6l4 4", bell: "M6 17V11a6 6 0 0 1 12 0v6l2 1H4zM10 21h4",
  box: "M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8", device: "M5 3h14v18H5zM9 7h6M12 16h.01",
};
const PAGES = [
  { route: "/dashboard", group: "Work", title: "Dashboard", icon: "grid", draw: dashboard },
  { route: "/projects", group: "Work", title: "Projects", icon: "folder", draw: projects },
  { route: "/projects/polar/board", pattern: /^\/projects\/[^/]+\/board$/, group: "Work", title: "Board", icon: "columns", draw: board },
  { route: "/timesheets", group: "Work", title: "Timesheets", icon: "clock", draw: timesheets },
  { route: "/reports", group: "Work", title: "Reports", icon: "chart", draw: reports },
  { route: "/invoices", group: "Money", title: "Invoices", icon: "paper", draw: invoices },
  { route: "/invoices/new", group: "Money", title: "New invoice", icon: "plus", draw: newInvoice },
  { route: "/clients", group: "Money", title: "Clients", icon: "people", draw: clients },
  { route: "/clock/orders", group: "Clock", title: "Clock orders", icon: "box", draw: orders },
  { route: "/clock/devices", group: "Clock", title: "Clock devices", icon: "device", draw: devices },
  { route: "/settings/billing", group: "Settings", title: "Billing", icon: "card", draw: billing },
  { route: "/settings/members", group: "Settings", title: "Members", icon: "people", draw: members },
  { route: "/settings/security", group: "Settings", title: "Security", icon: "lock", draw: security },
  { route: "/settings/integrations", group: "Settings", title: "Integrations", icon: "plug", draw: integrations },
  { route: "/settings/import-export", group: "Settings", title: "Import and export", icon: "swap", draw: importExport },
  { route: "/settings/notifications", group: "Settings", title: "Notifications", icon: "bell", draw: notifications },
];

// --- navigation --------------------------------------------------------------------------------------------------

const here = () => location.pathname.slice(BASE.length).replace(/\/$/, "") || "/dashboard";
const current = () => PAGES.find((page) => page.route === here() || page.pattern?.test(here())) ?? { title: "Page not found", draw: missing };

function drawNav() {
  const nav = document.getElementById("nav");
  nav.replaceChildren();
  let group = "";
  for (const page of PAGES) {
    if (page.group !== group) nav.append(el("h2", {}, (group = page.group)));
    nav.append(el("a", { href: BASE + page.route, "aria-current": page === current() ? "page" : undefined }, svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[page.icon] })), page.title));
  }
}

function draw() {
  const page = current();
  document.title = `${page.title} · Orrery`;
  drawNav();
  document.getElementById("page").replaceChildren(...page.draw());
  setMenu(false);
}

function go(path) {
  history.pushState({}, "", path);
  draw();
  window.scrollTo(0, 0);
  document.getElementById("page").focus({ preventScroll: true });
  window.dispatchEvent(new CustomEvent("helpgraph:navigate"));
}

function setMenu(isOpen) {
  document.body.classList.toggle("menu", isOpen);
  document.getElementById("menu").setAttribute("aria-expanded", String(isOpen));
}

// --- timer -------------------------------------------------------------------------------------------------------

let startedAt = null;
function drawTimer() {
  const seconds = startedAt === null ? 0 : Math.floor((Date.now() - startedAt) / 1000);
  const pad = (n) => String(n).padStart(2, "0");
  document.getElementById("timer").classList.toggle("running", startedAt !== null);
  document.getElementById("timer-label").textContent = startedAt === null ? "Start timer" : `Stop ${pad(Math.floor(seconds / 60))}:${pad(seconds % 60)}`;
}
function startTimer(name) {
  startedAt = Date.now();
  drawTimer();
  say(`The timer runs on ${name}.`);
}
function toggleTimer() {
  if (startedAt === null) startTimer("Venue plan");
  else {
    startedAt = null;
    drawTimer();
    say("The entry is under Timesheets.");
  }
}

// --- accounts and the widget -------------------------------------------------------------------------------------

async function getJson(path) {
  const response = await fetch(BASE + path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

async function signIn() {
  const picker = document.getElementById("account");
  let users = [];
  try {
    users = await getJson("/accounts.json");
  } catch {
    // Without accounts the product works signed out.
  }
  const groups = new Map();
  for (const user of users) {
    const label = `${user.account} (${PLANS[user.plan]?.[0] ?? user.plan})`;
    if (!groups.has(label)) groups.set(label, el("optgroup", { label }));
    groups.get(label).append(el("option", { value: user.user_id }, `${user.name}, ${user.account}`));
  }
  picker.append(...groups.values());
  picker.addEventListener("change", () => {
    sessionStorage.setItem(STORED_USER, picker.value);
    location.reload();
  });
  const user = users.find((other) => other.user_id === sessionStorage.getItem(STORED_USER));
  let token;
  if (user) {
    try {
      ({ token } = await getJson(`/identity?user_id=${encodeURIComponent(user.user_id)}`));
      picker.value = user.user_id;
      Object.assign(me, user);
      document.getElementById("workspace").textContent = user.account;
      document.getElementById("plan").textContent = PLANS[user.plan]?.[0] ?? user.plan;
      document.getElementById("avatar").textContent = user.name.split(" ").map((part) => part[0]).join("").slice(0, 2);
      draw();
    } catch {
      // Signed out then.
    }
  }
  document.body.append(el("script", { src: `${SERVER}/widget.js`, "data-server": "", "data-workspace": "orrery", "data-route-base": BASE, "data-identity-token": token, defer: true }));
}

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("nav a") : null;
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select, helpgraph-widget");
  if (event.shiftKey && event.key === "T" && !typing) toggleTimer();
});
document.getElementById("menu").addEventListener("click", () => setMenu(!document.body.classList.contains("menu")));
document.getElementById("timer").addEventListener("click", toggleTimer);
window.addEventListener("popstate", draw);
setInterval(() => startedAt !== null && drawTimer(), 1000);
draw();
signIn();
