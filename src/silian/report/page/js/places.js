// Districts, data problems, registers, and how all this was made.

function drawDistricts() {
  const box = part("districts"), table = data.results.district_balance;
  if (!data.nouns.districts.n) return fill(box, empty("districts"));
  const map = chart("district_map");
  const bars = chart("district_balance");
  fill(box, h("div", { class: "stack" }, map ? h("div", { class: "cards" }, map, bars) : [empty("geojson"), bars],
    table.n ? h("div", { class: "card" }, resultGrid("district_balance", { page: 30, columns: balanceColumns(table) }).node) : empty("balance")));
}

function balanceColumns(table) {
  return schemaColumns(table).map((c) => (c.key !== "served_share" ? c : Object.assign({}, c, {
    node: (row) => { const v = table.get("served_share", row); return v === null ? "–" : [format.share(v), bar([{ part: v, style: "p1" }])]; },
  })));
}

const problems = { code: "" };

function drawProblems() {
  const box = part("problems"), table = data.results.problems, view = data.views.problems, same = [["same", t("same.title"), t("same.intro")], ["same_people", t("same_people.title"), t("same_people.intro")]];
  const twins = same.filter(([name]) => data.results[name].n).map(([name, title, intro]) => h("div", { class: "card", id: "problems/" + name }, h("h3", {}, title), h("p", { class: "intro" }, intro), resultGrid(name, { bare: true }).node));
  if (!table.n) return fill(box, h("div", { class: "stack" }, h("p", { class: "empty" }, t("problems.none")), twins));
  const remedy = (row) => view.get(at() ? "remedy" : "remedy_zh", row);
  const plain = (key, label, text) => ({ key, label: () => t(label), long: key === "remedy", value: text, node: text, csv: { heads: () => [t(label)], cells: (row) => [text(row)] } });
  const codes = [plain("code", "tip.code", (row) => view.get("code", row)), plain("grave", "tip.state", (row) => t(view.get("grave", row) ? "problem.grave" : "problem.minor")),
    { key: "rows", number: true, label: () => t("tip.rows"), value: (row) => view.get("rows", row), node: (row) => format.count(view.get("rows", row)), csv: { heads: () => [t("tip.rows")], cells: (row) => [view.get("rows", row)] } },
    plain("tables", "tip.tables", (row) => view.get("tables", row).split(", ").map((n) => (boot.schema.nouns[n] ? pick(boot.schema.nouns[n].label) : n)).join(at() ? ", " : "、")), plain("remedy", "tip.remedy", remedy)];
  const kept = schemaColumns(table, ["table", "file", "row", "column", "code", "found", at() ? "remedy" : "remedy_zh", "grave"]).map(readable(table));
  const rows = () => table.rows().filter((row) => !problems.code || table.get("code", row) === problems.code);
  const chooser = h("select", { "aria-label": t("problems.filter"), onchange: (e) => { problems.code = e.target.value; list.show(rows()); } }, h("option", { value: "" }, t("problems.all_codes")), [...new Set(table.col("code"))].map((c) => h("option", { value: c, selected: c === problems.code }, c)));
  const list = resultGrid("problems", { columns: kept, rows: rows(), extra: chooser, title: t("problems.rows") });
  fill(box, h("div", { class: "stack" }, chart("problems"), h("div", { class: "card" }, grid({ name: "problems_by_code", title: t("problems.what"), columns: codes, rows: view.rows() }).node), h("div", { class: "card" }, list.node), twins));
}

/** Names of tables and columns as people know them, with the names in the files under them. */
const readable = (table) => (column) => {
  if (column.key !== "table" && column.key !== "column") return column;
  return Object.assign({}, column, { node: (row) => {
    const noun = boot.schema.nouns[table.get("table", row)], name = table.get(column.key, row), found = noun && (column.key === "table" ? noun : noun.columns[name]);
    return found ? [pick(found.label), h("span", { class: "id" }, name)] : name || "–";
  } });
};

const registers = { noun: "needs" };

function drawRegisters() {
  const nouns = Object.keys(data.nouns).filter((n) => data.nouns[n].n);
  const box = part("registers");
  if (!nouns.length) return fill(box, empty("needs"));
  if (!nouns.includes(registers.noun)) registers.noun = nouns[0];
  const body = h("div");
  const show = (noun) => {
    registers.noun = noun;
    const table = data.nouns[noun];
    fill(body, grid({ name: noun, title: pick(table.schema.label), columns: schemaColumns(table, Object.keys(table.packed).filter((c) => !["text", "profile", "name_en", "must_have", "nice_to_have", "not_wanted", "partners_wanted"].includes(c))), rows: table.rows(), search: true, note: keptNote(noun) }).node);
    buttons.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.noun === noun)));
  };
  const buttons = nouns.map((noun) => h("button", { type: "button", "data-noun": noun, onclick: () => show(noun) }, pick(data.nouns[noun].schema.label), " ", format.count(data.kept[noun][1])));
  registers.show = show;
  fill(box, h("div", { class: "card" }, h("div", { class: "filters" }, h("span", { class: "seg scroll", role: "group", "aria-label": t("nav.registers") }, buttons)), body));
  show(registers.noun);
}

function drawMade() {
  const r = boot.receipt, fact = (key, value) => (value === null || value === "" || value === undefined ? [] : [h("div", {}, h("dt", {}, t("made." + key)), h("dd", { class: key === "code" ? "hash" : null }, String(value)))]);
  const steps = r.steps;
  const text = (list, key, label, show) => ({ key, label: () => t(label), value: (i) => show(list[i]), node: (i) => show(list[i]), csv: { heads: () => [t(label)], cells: (i) => [show(list[i])] } });
  const known = (name) => {
    if (name === "same") return t("made.bodies"); // one row for every organisation, not only those entered twice
    if (name === "same_people") return t("made.persons");
    const s = boot.schema.nouns[name] || boot.schema.results[name]; return s ? pick(s.label) : name; };
  const gave = (s) => Object.entries(s.rows).map(([table, rows]) => known(table) + " " + format.count(rows)).join(" · ");
  const stepColumns = [Object.assign(text(steps, "step", "made.step", (s) => codeText("step." + s.name, s.name)), { tight: true }), text(steps, "gave", "made.gave", gave)];
  const inputs = Object.entries(r.inputs), inputColumns = [text(inputs, "file", "made.file", (x) => x[0]), Object.assign(text(inputs, "hash", "made.hash", (x) => x[1]), { node: (i) => h("span", { class: "hash" }, inputs[i][1]) })];
  const numbers = (list) => list.map((_, i) => i);
  fill(part("made"), h("div", { class: "stack" },
    h("div", { class: "card" }, h("dl", { class: "facts" }, fact("version", r.silian), fact("on", r.on), fact("seed", r.seed), fact("code", r.code)), h("p", { class: "note" }, t("made.same"))),
    steps.length ? h("div", { class: "card" }, grid({ name: "steps", title: t("made.steps"), columns: stepColumns, rows: numbers(steps), page: 40 }).node) : null,
    inputs.length ? h("div", { class: "card" }, grid({ name: "inputs", title: t("made.inputs"), columns: inputColumns, rows: numbers(inputs), page: 40 }).node) : null,
    Object.keys(r.plan).length ? h("div", { class: "card" }, h("details", {}, h("summary", {}, t("made.plan")), h("pre", { tabindex: 0 }, JSON.stringify(r.plan, null, 2)))) : null,
    h("div", { class: "card" }, h("h3", {}, t("made.read")), h("ul", { class: "read" }, ["score", ...(data.results.achievement_pairs.has("level") ? ["level"] : []), "gap", "share", "reached", "unmet"].map((k) => h("li", {}, h("strong", {}, t("read." + k)), " ", t("read." + k + ".how"))))),
    h("p", { class: "note" }, t("made.licences"))));
}

const codeText = (key, other) => (boot.words[key] ? t(key) : other);
