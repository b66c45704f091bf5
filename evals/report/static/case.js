// One case, whole, in a dialog.
const openCase = (() => {
  const dialog = byId("case");
  let details = null;
  let back = null;

  const facts = (pairs) =>
    make("dl", {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => [
      make("dt", {}, name), make("dd", {}, value),
    ]));
  const meter = (value, enough) => {
    const known = Math.min(1, Math.max(0, value));
    return draw("svg", { class: "meter", viewBox: "0 0 60 8", width: 60, height: 8, "aria-hidden": "true" },
      draw("rect", { class: "of", width: 60, height: 8, rx: 2 }),
      draw("rect", { class: enough ? "is" : "no", width: (60 * known).toFixed(1), height: 8, rx: 2 }));
  };
  const table = (caption, heads, rows) =>
    make("table", {}, make("caption", {}, caption),
      make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, rows.map((cells) => make("tr", {}, cells.map((cell) => make("td", {}, cell))))));
  const said = (who, kind, texts) =>
    make("div", { class: `said ${kind}` }, make("h4", {}, who), texts.map((text) => make("p", {}, text)));
  const yes = (value) => (value === null || value === undefined ? null : value === true ? "yes" : value === false ? "no" : String(value));
  const plain = (value) => {
    if (value === null || value === undefined) return "not known";
    if (typeof value === "boolean") return yes(value);
    if (Array.isArray(value)) return value.length ? value.map(plain).join(", ") : "none";
    return String(value).replaceAll("_", " ");
  };

  const decided = (turn) => {
    const reasons = turn.reasons.map((one) => [
      reason(one.name), typeof one.value === "number" ? one.value.toFixed(2) : plain(one.value),
      make("span", {}, meter(Math.abs(one.weight), true), " ", one.weight.toFixed(2)), plain(one.towards),
    ]);
    const costs = Object.entries(turn.costs).sort((a, b) => a[1] - b[1]);
    const heard = turn.heard;
    return make("details", { class: "decided" },
      make("summary", {}, `Why: ${plain(turn.route) === "not known" ? turn.outcome.replaceAll("_", " ") : plain(turn.route)}` +
        (turn.handoff_reason ? `, ${reason(turn.handoff_reason)}` : "")),
      reasons.length ? table("Reasons of the decision, with their weights", ["signal", "value", "weight", "towards"], reasons) : null,
      facts([
        ["expected cost", costs.map(([name, cost]) => `${plain(name)} ${cost.toFixed(2)}`).join(" · ")],
        ["heard", heard.kind ? `${plain(heard.kind)} (${percent(heard.kind_confidence)}), ${categoryName(heard.category)} (${percent(heard.category_confidence)})` : null],
        ["evidence of an answer", turn.evidence.toFixed(2)],
        ["wish for a person", heard.wish_for_person === undefined ? null : heard.wish_for_person.toFixed(2)],
        ["risk", heard.risk === undefined ? null : heard.risk.toFixed(2)],
        ["mood (−1 to 1)", heard.sentiment === undefined ? null : heard.sentiment.toFixed(2)],
        ["path", turn.path.join(" → ")],
        ["tools", turn.tools.length ? turn.tools.join(", ") : null],
        ["model", turn.engine ? `${turn.engine.model}, ${turn.engine.calls} calls, ${turn.engine.input_tokens} + ${turn.engine.output_tokens} tokens` : null],
      ]));
  };
  const sources = (turn) => {
    if (!turn.found.length && !turn.claims.length) return null;
    return make("details", { class: "sources" },
      make("summary", {}, `Passages found (${turn.found.length}), sentences and their support (${turn.claims.length})`),
      turn.found.length ? table("Passages found, best first", ["article", "score"],
        turn.found.map(([article, score]) => [titled(article), score.toFixed(2)])) : null,
      turn.claims.length ? table("What was said, and what it rests on", ["sentence", "cites", "support"],
        turn.claims.map((claim) => [
          claim.text, claim.cites.length ? claim.cites.map(titled).join("; ") : claim.tool ? `tool ${claim.tool}` : "nothing",
          claim.support === null ? "not known" : make("span", {}, meter(claim.support, claim.support >= words.support), " ", claim.support.toFixed(2)),
        ])) : null,
      turn.held_back ? make("p", {}, `${turn.held_back} sentences were held back: their sources did not support them.`) : null,
      turn.broken_off ? make("p", {}, `The answer broke off: ${plain(turn.broken_off)}.`) : null);
  };
  const played = (turn) => [
    said("Customer", "customer", turn.texts),
    said(`Our agent: ${turn.outcome.replaceAll("_", " ")}`, "us", [turn.reply,
      ...(turn.cited.length ? ["Sources: " + turn.cited.map(([n, article]) => `[${n}] ${titled(article)}`).join(", ")] : [])]),
    turn.human === null ? null : said("A person then wrote" + (turn.agreement === null ? "" : ` (our reply agrees to ${percent(turn.agreement)})`) +
      (turn.same_article ? " (and sent the same article)" : ""), "person", [turn.human]),
    decided(turn), sources(turn),
  ];

  const labelled = (label) => {
    if (!label) return make("p", {}, "No label: nobody said what would have been right.");
    const known = Object.fromEntries(label.known);
    const rows = Object.entries(label).filter(([name, value]) => !["ticket_id", "known"].includes(name) && value !== null).map(([name, value]) => {
      const from = known[name];
      const source = from ? words.sources[from.source] + (from.source === "rule" ? `: ${plain(from.rule)}, sure to ${percent(from.confidence)}` : "") : "";
      return [plain(name), name === "articles" ? (value.length ? value.map(titled).join(", ") : "none answers it") : name === "category" ? categoryName(value)
        : name === "queue" ? words.queues[value] || value : name === "needs_person_reason" ? reason(value) : plain(value), source];
    });
    return rows.length ? table("What should have happened, and who says so", ["", "label", "where it comes from"], rows)
      : make("p", {}, "The label says nothing: no rule fits, and nobody labelled it by hand.");
  };
  const scored = (score) => {
    const rows = [];
    for (const [part, value] of Object.entries(score)) {
      if (value !== null && typeof value === "object" && !Array.isArray(value)) {
        for (const [name, inner] of Object.entries(value)) {
          if (inner !== null) rows.push([`${plain(part)}: ${plain(name)}`, part === "mistake_cost" && name === "parts" ? inner.map((one) => words.mistakes[one] || one).join("; ") || "nothing" : plain(inner)]);
        }
      } else rows.push([plain(part), plain(value)]);
    }
    return make("details", {}, make("summary", {}, "All scores of this ticket"), table("Scores", ["score", "value"], rows));
  };
  const done = (effects) => effects.length && table("What would have been done (recorded, not done)", ["turn", "what", ""],
    effects.map((one) => [one.turn, one.kind === "handoff" ? "handed to a person" : one.is_new ? "bug filed" : "bug counted",
      one.kind === "handoff" ? `queue ${words.queues[one.queue] || one.queue || "–"}, priority ${one.priority || "–"}, because of ${reason(one.reason)}`
        : `${one.bug_id || ""} ${one.title || ""}`]));

  return (place, around) => {
    if (details === null) details = JSON.parse(byId("details").textContent);
    const row = data.rows[place], one = details[place];
    const [title, meaning, tone] = words.verdicts[row.verdict];
    if (!dialog.open) back = document.activeElement;
    const at = around ? around.indexOf(place) : -1;
    const step = (by, name) => around && make("button", { type: "button", disabled: around[at + by] === undefined, onclick: () => openCase(around[at + by], around) }, name);
    dialog.replaceChildren(make("article", { class: "case" },
      make("header", {}, make("h2", { id: "case-title" }, row.id + (row.run > 1 ? ` (run ${row.run})` : "")), make("span", { class: `tag ${tone}` }, title),
        make("span", { class: "buttons" }, step(-1, "Previous"), step(1, "Next"),
          make("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Close"))),
      make("div", { class: "body" },
        make("p", { class: "verdict" }, meaning),
        facts([
          ["category", categoryName(row.category)], ["day", row.day], ["language", row.language], ["channel", one.channel], ["page", one.page], ["account tier", one.tier],
          ["replayed", `${words.endings[row.ending]} (${one.messages[0]} of ${one.messages[1]} customer messages)`], ["why there", one.why],
          ["cost", row.cost === null ? "not known" : row.cost ? `${row.cost} (${one.score.mistake_cost.parts.map((part) => words.mistakes[part] || part).join("; ")})` : "0"],
          ["as of its day", Object.entries(one.as_of).map(([name, value]) => `${plain(name)}: ${plain(value)}`).join(" · ")],
          ["failure", one.failure && `${one.failure.error}: ${one.failure.message}`],
        ]),
        make("h3", {}, "The conversation"),
        one.turns.length ? one.turns.map(played) : make("p", {}, "Nothing was played."),
        one.turns_left_out ? make("p", {}, `${one.turns_left_out} more turns are in cases.jsonl.`) : null,
        done(one.effects) || null,
        make("h3", {}, "The label"), labelled(one.label),
        scored(one.score))));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    history.replaceState(null, "", `#case=${encodeURIComponent(row.id)}${row.run > 1 ? "&run=" + row.run : ""}`);
    dialog.onclose = () => {
      history.replaceState(null, "", location.pathname + location.search);
      if (back && back.isConnected) back.focus();
    };
  };
})();
byId("case").addEventListener("click", (event) => { if (event.target === byId("case")) byId("case").close(); });
