// One table component: search, sort, pages, CSV. Columns say how a row is shown, sorted and written.

const collator = new Intl.Collator("zh-Hans-CN", { numeric: true });
const PAGE = 15;

/** How a value of a type of the schema is shown. */
function shown(type, name, value, codes) {
  if (codes) return codeLabel(codes, value);
  if (value === null || value === undefined || value === "") return "–";
  if (type === "flag") return t(value ? "yes" : "no");
  if (type === "count") return format.count(value);
  if (type === "money") return format.money(value);
  if (type === "share") return name.endsWith("_share") ? format.share(value) : format.score(value);
  if (type === "number") return format.number(value);
  if (type === "list") return value.join(at() ? "; " : "；");
  return String(value);
}

const NUMBERS = new Set(["count", "share", "number", "money", "year"]);

/** Which noun an id of a row belongs to, where a column may refer to several. */
function nounOf(table, column, row) {
  const refers = column.refers;
  if (refers.length < 2 && !(table.name === "prices" && column.name === "id")) return refers[0];
  if (table.name === "gap_evidence") return { need: "needs", buyer: "organisations", maker: "organisations" }[table.get("side", row)] || "products";
  if (table.name === "gap_fillers") return table.get("noun", row) + "s";
  if (table.name === "prices") return table.get("side", row) + "s";
  return refers.find((noun) => data.nouns[noun] && data.nouns[noun].index(KEYS[noun]).has(table.get(column.name, row)));
}

/** The columns of a table of the schema, ids with their names. */
function schemaColumns(table, only) {
  const names = only || Object.keys(table.packed).filter((name) => !/^name_en$/.test(name));
  return names.filter((name) => table.has(name)).map((name) => {
    const column = Object.assign({ name }, table.schema.columns[name]);
    const named = column.type === "id" && (column.refers.length || name === "id");
    // a column that shows names is not headed "id"
    const bare = () => (named ? pick(column.label).replace(/(编号|\bid)$/i, "").trim() : pick(column.label));
    const label = () => bare() || t("csv.name");
    const noun = (row) => (column.refers.length || column.name === "id" ? nounOf(table, column, row) : null);
    if (named) {
      return {
        key: name, label, long: true,
        value: (row) => nameOf(noun(row), table.get(name, row)),
        node: (row) => idNode(noun(row), table.get(name, row)),
        csv: { heads: () => [pick(column.label), [bare(), t("csv.name")].filter(Boolean).join(" · ")], cells: (row) => [table.get(name, row), nameOf(noun(row), table.get(name, row))] },
      };
    }
    const number = NUMBERS.has(column.type), isKey = name === KEYS[table.name];
    return {
      key: name, label, number, tight: column.type === "date" || column.type === "id", long: column.type === "text" && !/^(chain|segment|table|file|column|code)$/.test(name),
      value: (row) => (number ? table.get(name, row) : shown(column.type, name, table.get(name, row), column.codes)),
      node: (row) => {
        const link = isKey && linkOf(table.name, table.get(name, row)), text = shown(column.type, name, table.get(name, row), column.codes);
        return link ? h("a", { href: link }, text) : text;
      },
      csv: { heads: () => [label()], cells: (row) => [number ? table.get(name, row) : column.type === "flag" || column.codes || column.type === "list" ? shown(column.type, name, table.get(name, row), column.codes) : table.get(name, row)] },
    };
  });
}

function idNode(noun, id) {
  if (id === null || id === undefined || id === "") return "–";
  const name = nameOf(noun, id), link = linkOf(noun, id);
  const body = link ? h("a", { href: link }, name) : name;
  return name === String(id) ? body : [body, h("span", { class: "id" }, id)];
}

/** A score with a small bar under it. */
const scoreNode = (value) => [format.score(value), bar([{ part: value, style: "p1" }])];

/** A bar whose parts are shares of its whole width. */
function bar(parts) {
  return h("span", { class: "bar", "aria-hidden": "true" }, parts.map((p) => {
    const piece = h("i", { class: p.style });
    piece.style.width = (Math.max(0, Math.min(1, p.part)) * 100).toFixed(2) + "%";
    return piece;
  }));
}

/**
 * A table. options: name (of the CSV file), title, columns, rows (row numbers), search, page, sort {key, down}.
 */
function grid(options) {
  const { columns } = options, size = options.page || PAGE;
  let rows = options.rows, page = 0, sort = options.sort || null, query = "";
  const body = h("tbody"), head = h("thead"), pager = h("div", { class: "pager" });
  const box = h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": options.title || options.name }, h("table", {}, options.title ? h("caption", { class: "unseen" }, options.title) : null, head, body));
  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, columns.map((c) => c.csv.cells(row).join(" ")).join(" ").toLowerCase());
    return texts.get(row);
  };

  function arrange() {
    rows = options.rows;
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) rows = rows.filter((row) => words.every((w) => textOf(row).includes(w)));
    const column = sort && columns.find((c) => c.key === sort.key);
    if (column) {
      const sign = sort.down ? -1 : 1;
      const keyed = rows.map((row, i) => [column.value(row), i, row]);
      keyed.sort((a, b) => {
        if (a[0] === null || b[0] === null) return (a[0] === null) - (b[0] === null) || a[1] - b[1]; // empty ones last
        return (sign * (column.number ? a[0] - b[0] : collator.compare(a[0], b[0]))) || a[1] - b[1];
      });
      rows = keyed.map((k) => k[2]);
    }
    page = 0;
    draw();
  }

  function draw() {
    fill(head, h("tr", {}, columns.map((c) => {
      const order = sort && sort.key === c.key ? (sort.down ? "descending" : "ascending") : null;
      return h("th", { scope: "col", class: c.number ? "num" : null, "aria-sort": order }, h("button", { type: "button", onclick: () => turn(c) }, c.label()));
    })));
    const start = page * size;
    fill(body, rows.slice(start, start + size).map((row) => h("tr", {}, columns.map((c) => h("td", { class: c.number ? "num" : c.long ? "long" : c.tight ? "tight" : null, dir: c.long ? "auto" : null }, c.node(row))))));
    if (!rows.length) body.append(h("tr", {}, h("td", { colspan: columns.length }, t("table.none"))));
    const last = Math.max(0, Math.ceil(rows.length / size) - 1);
    const step = (to, key) => h("button", { type: "button", class: "plain", disabled: to < 0 || to > last, onclick: () => { page = to; draw(); } }, t(key));
    fill(pager, h("span", {}, rows.length ? t("table.rows", { from: start + 1, to: Math.min(rows.length, start + size), all: rows.length }) : ""), last ? h("span", {}, step(page - 1, "table.before"), " ", step(page + 1, "table.next")) : null);
  }

  function turn(column) {
    const down = sort && sort.key === column.key ? !sort.down : Boolean(column.number);
    sort = { key: column.key, down };
    arrange();
    const again = [...head.querySelectorAll("button")][columns.indexOf(column)];
    again.focus();
    announce(t(down ? "table.sorted_down" : "table.sorted_up", { column: column.label() }));
  }

  const search = options.search ? h("input", {
    type: "search", placeholder: t("table.search"), "aria-label": t("table.search_in", { table: options.title || "" }),
    oninput: (event) => { query = event.target.value; arrange(); },
  }) : null;
  const csv = h("button", { type: "button", class: "plain", onclick: () => downloadCsv(options.name, columns.flatMap((c) => c.csv.heads()), rows.map((row) => columns.flatMap((c) => c.csv.cells(row)))) }, t("csv"));
  const node = h("div", { class: "grid" },
    h("div", { class: "grid-tools" }, options.title && !options.bare ? h("h3", {}, options.title) : h("span"), search, options.extra || null, csv),
    options.note ? h("p", { class: "note" }, options.note) : null, box, pager);
  arrange();
  return { node, show(next) { options.rows = next; arrange(); } };
}

/** Says so where the page carries fewer rows than the run has. */
function keptNote(name) {
  const [here, all] = data.kept[name] || [0, 0];
  return here < all ? t("table.kept", { here, all }) : null;
}

/** A whole result table as a grid. */
function resultGrid(name, options) {
  const table = data.results[name];
  return grid(Object.assign({ name, title: pick(table.schema.label), columns: schemaColumns(table), rows: table.rows(), search: table.n > PAGE, note: keptNote(name) }, options || {}));
}
