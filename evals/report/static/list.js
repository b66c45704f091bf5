// The list of tickets, its filters, and every button elsewhere that leads into it.
{
  const AT_ONCE = 50;
  const filters = byId("filters"), body = byId("rows"), more = byId("more"), counted = byId("counted"), chosen = byId("chosen");
  const FIELDS = ["category", "verdict", "language", "label", "ending"];
  // Only a click on the table of reasons sets these.
  const extra = { needed: null, handed: null };
  let matching = [];
  let visible = AT_ONCE;

  const fits = (row) => {
    for (const name of FIELDS) {
      const wanted = filters.elements[name].value;
      if (wanted && (name === "category" ? row.category || "unlabelled" : row[name]) !== wanted) return false;
    }
    for (const [name, wanted] of Object.entries(extra)) {
      if (wanted === null) continue;
      if (!row.known) return false;
      if (wanted === "any" ? row[name] === null : wanted === "-" ? row[name] !== null : row[name] !== wanted) return false;
    }
    const text = filters.elements.text.value.trim().toLowerCase();
    return !text || row.says.toLowerCase().includes(text) || row.id.toLowerCase().includes(text);
  };
  const line = (place) => {
    const row = data.rows[place], [title, , tone] = words.verdicts[row.verdict];
    return make("tr", {},
      make("th", { scope: "row" }, make("button", { type: "button", class: "link", onclick: () => openCase(place, matching) }, row.id + (row.run > 1 ? ` (run ${row.run})` : ""))),
      make("td", {}, row.day), make("td", {}, categoryName(row.category)), make("td", {}, make("span", { class: `tag ${tone}` }, title)),
      make("td", {}, row.cost === null ? "–" : String(row.cost)), make("td", {}, row.says));
  };
  const show = () => {
    body.replaceChildren(...matching.slice(0, visible).map(line));
    more.hidden = matching.length <= visible;
    counted.textContent = `${matching.length.toLocaleString("en")} of ${data.rows.length.toLocaleString("en")} tickets` +
      (matching.length > visible ? `, the first ${visible} shown` : "");
  };
  const said = (name, value) => {
    if (value === null) return null;
    const reasons = value === "any" ? "for any reason" : `for ${reason(value)}`;
    if (name === "needed") return value === "-" ? "needed no person" : `needed a person ${reasons}`;
    return value === "-" ? "kept by the agent" : `handed over ${reasons}`;
  };
  const apply = () => {
    visible = AT_ONCE;
    matching = data.rows.map((_, place) => place).filter((place) => fits(data.rows[place]));
    const also = Object.entries(extra).map(([name, value]) => said(name, value)).filter(Boolean);
    chosen.hidden = !also.length;
    chosen.replaceChildren();
    if (also.length) {
      chosen.append(make("span", {}, `Only tickets that ${also.join(" and ").replace(/(^| and )(handed|kept)/g, "$1were $2")}. `),
        make("button", { type: "button", class: "link", onclick: () => { extra.needed = extra.handed = null; apply(); } }, "Show all of them"));
    }
    show();
  };
  const choose = (wanted) => {
    filters.reset();
    extra.needed = wanted.needed || null;
    extra.handed = wanted.handed || null;
    for (const name of FIELDS) if (wanted[name]) filters.elements[name].value = wanted[name];
    apply();
    byId("tickets").scrollIntoView();
    counted.setAttribute("tabindex", "-1");
    counted.focus({ preventScroll: true });
  };
  const find = (id, run) => data.rows.findIndex((row) => row.id === id && row.run === Number(run || 1));

  filters.addEventListener("input", apply);
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("reset", () => { extra.needed = extra.handed = null; setTimeout(apply); });
  more.addEventListener("click", () => { visible += 4 * AT_ONCE; show(); });
  for (const button of document.querySelectorAll("[data-case]")) {
    const place = find(button.dataset.case, button.dataset.run);
    if (place < 0) button.disabled = true;
    else button.addEventListener("click", () => openCase(place));
  }
  for (const button of document.querySelectorAll("[data-filter]")) button.addEventListener("click", () => choose(button.dataset));
  apply();
  const asked = new URLSearchParams(location.hash.slice(1));
  if (asked.has("case")) {
    const place = find(asked.get("case"), asked.get("run"));
    if (place >= 0) openCase(place);
  }
}
