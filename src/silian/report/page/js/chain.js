// The chain map, each chain as a graph, and the gaps with what they rest on and who could fill them.

const chain = { opened: null, query: "", kind: "", of: "", chosen: null };

function drawChain() {
  const box = part("chain"), products = data.nouns.products;
  if (!products.n) return fill(box, empty("products"));
  const openFrom = (datum) => {
    if (datum.product_id && data.results.gaps.index("product_id").has(datum.product_id)) location.hash = "#chain/" + encodeURIComponent(datum.product_id);
    else if (datum.product_id) showFirms(datum);
    else if (datum.chain_id !== undefined) openChain(datum.chain_id, true);
  };
  const isGraph = data.charts.zh.chain_map.datasets.nodes || data.charts.shared["chain_map.nodes"];
  const map = chart("chain_map", { click: openFrom, note: isGraph ? undefined : t("chain.map_note") });
  chain.graph = h("div"); chain.firms = h("div", { role: "status" });
  const chooser = data.chains.list.length ? h("div", { class: "filters" }, h("label", { class: "grow" }, h("span", {}, t("chain.open")),
    h("select", { id: "chain-open", onchange: (e) => openChain(e.target.value === "" ? null : data.chains.list[Number(e.target.value)].chain) }, h("option", { value: "" }, t("chain.choose")),
      data.chains.list.map((c, i) => h("option", { value: i, selected: chain.opened === c.chain }, t("chain.option", { chain: c.chain || t("not_stated"), count: c.products })))))) : null;
  chain.gapBox = h("div");
  fill(box, h("div", { class: "stack" }, map, chooser, chain.graph, chain.firms, data.chains.list.length > 3 ? h("div", { class: "cards" }, chart("gap_ranking", { click: openFrom }), gapsByChain()) : chart("gap_ranking", { click: openFrom }), chart("district_chains"), chain.gapBox));
  // the chain with most gaps stands open at first
  if (chain.opened === null && data.chains.list.length) chain.opened = data.chains.list[0].chain;
  openChain(chain.opened);
  drawGaps();
}

/** How many gaps of each kind each chain has. */
function gapsByChain() {
  const view = data.views.chain_map, sums = new Map();
  for (const row of view.rows()) {
    const name = view.get("chain", row), sum = sums.get(name) || { name, products: 0, made: 0, single: 0, break: 0, blank: 0, outflow: 0 };
    for (const k of ["products", "made", "single", "break", "blank", "outflow"]) sum[k] += view.get(k, row);
    sums.set(name, sum);
  }
  const list = [...sums.values()];
  const number = (key, label) => ({ key, number: true, label: () => t(label), value: (i) => list[i][key], node: (i) => format.count(list[i][key]), csv: { heads: () => [t(label)], cells: (i) => [list[i][key]] } });
  const columns = [{ key: "name", label: () => t("tip.chain"), value: (i) => list[i].name, node: (i) => list[i].name || t("not_stated"), csv: { heads: () => [t("tip.chain")], cells: (i) => [list[i].name] } },
    number("products", "tip.products"), number("made", "tip.made"), number("single", "tip.single"), number("break", "tip.break"), number("blank", "tip.blank"), number("outflow", "tip.outflow")];
  return h("div", { class: "card" }, grid({ name: "chains", title: t("chain.by_chain"), columns, rows: list.map((_, i) => i), page: 12, search: list.length > 12 }).node);
}

/** Who makes the product of a node here, below the picture. */
function showFirms(node) {
  const makers = data.views.makers, rows = makers.groups("product_id").get(node.product_id) || [];
  fill(chain.firms, h("div", { class: "card" }, h("h3", {}, t("gap.firms", { product: nameOf("products", node.product_id), count: node.makers })),
    h("ul", {}, rows.map((r) => h("li", { dir: "auto" }, nameOf("organisations", makers.get("org_id", r)))), node.makers > rows.length ? h("li", {}, "…") : null)));
}

function openChain(name, scroll) {
  chain.opened = name;
  fill(chain.firms);
  const place = data.chains.list.findIndex((c) => c.chain === name), found = data.chains.list[place];
  const chooser = document.getElementById("chain-open");
  if (chooser) chooser.value = place < 0 ? "" : String(place);
  if (!found) return fill(chain.graph);
  const gaps = data.results.gaps.index("product_id");
  const spec = () => {
    const own = JSON.parse(JSON.stringify(data.chains.spec[state.language]));
    const nodes = found.nodes.map((n) => Object.assign({}, n, { product: nameOf("products", n.product_id), state: t("state." + n.code) }));
    own.datasets = { nodes, edges: found.edges };
    const rows = nodes.map((n) => n.y), columns = Math.max(...nodes.map((n) => n.x)) + 1;
    own.height = Math.max(2, Math.round(Math.max(...rows) - Math.min(...rows) + 1.2)) * 30;
    own.params = [{ name: "columns", value: columns }, { name: "ink", value: found.ink }];
    own.usermeta = { min_width: columns * 136 };
    return own;
  };
  const byLabel = (key, label, text, number) => ({ key, number, label: () => t(label), value: text, node: (i) => (number ? format.count(text(i)) : text(i)), csv: { heads: () => [t(label)], cells: (i) => [text(i)] } });
  const of = (i) => found.nodes[i];
  const columns = [{ key: "product", label: () => t("tip.product"), value: (i) => nameOf("products", of(i).product_id), node: (i) => idNode("products", of(i).product_id), csv: { heads: () => [t("csv.id"), t("tip.product")], cells: (i) => [of(i).product_id, nameOf("products", of(i).product_id)] } },
    byLabel("segment", "tip.segment", (i) => of(i).segment || t("not_stated")), byLabel("state", "tip.state", (i) => t("state." + of(i).code)), byLabel("makers", "tip.makers", (i) => of(i).makers, true)];
  const left = found.products - found.nodes.length;
  fill(chain.graph, picture({
    name: "chain", spec, columns, rows: found.nodes.map((_, i) => i), title: t("chain.graph_title", { chain: name || t("not_stated") }),
    note: spec().title.subtitle + (left > 0 ? t("chain.left_out", { shown: found.nodes.length, all: found.products }) : ""),
    click: (datum) => { if (gaps.has(datum.product_id)) location.hash = "#chain/" + encodeURIComponent(datum.product_id); else if (datum.product_id) showFirms(datum); },
  }));
  if (scroll) chain.graph.scrollIntoView({ block: "start" });
}

function drawGaps() {
  const gaps = data.results.gaps;
  if (!gaps.n) return fill(chain.gapBox, h("p", { class: "empty" }, t("chain.no_gaps")));
  const choose = (key, label, values) => h("label", {}, h("span", {}, t(label)), h("select", { onchange: (e) => { chain[key] = e.target.value; listGaps(); } }, h("option", { value: "" }, t("filter.all")), values.map(([v, name]) => h("option", { value: v, selected: chain[key] === v }, name))));
  const chains = [...new Set(gaps.col("chain"))].filter(Boolean).sort(collator.compare).map((c) => [c, c]);
  chain.count = h("p", { class: "count", role: "status" });
  chain.list = h("div", { class: "list", tabindex: 0, role: "group", "aria-label": t("chain.gaps") });
  chain.detail = h("article", { class: "card detail", "aria-label": t("chain.gap_detail") });
  const csv = h("button", { type: "button", class: "plain", onclick: () => { const columns = schemaColumns(gaps); downloadCsv("gaps", columns.flatMap((c) => c.csv.heads()), chain.shown.map((row) => columns.flatMap((c) => c.csv.cells(row)))); } }, t("csv"));
  fill(chain.gapBox, h("h3", {}, t("chain.gaps")), h("p", { class: "intro" }, t("chain.gaps_intro")),
    h("div", { class: "filters", role: "search", "aria-label": t("chain.gaps") },
      h("label", { class: "grow" }, h("span", {}, t("filter.search")), h("input", { type: "search", value: chain.query, placeholder: t("chain.search"), oninput: (e) => { chain.query = e.target.value; listGaps(); } })),
      choose("kind", "tip.kind", ["break", "blank", "outflow", "single"].map((k) => [k, codeLabel("gap_kind", k)])), choose("of", "tip.chain", chains), csv),
    keptNote("gaps") ? h("p", { class: "note" }, keptNote("gaps")) : null, chain.count, h("div", { class: "split" }, chain.list, chain.detail));
  listGaps();
  showGap(chain.chosen || gaps.get("product_id", 0));
}

function listGaps() {
  const gaps = data.results.gaps, words = fold(chain.query).split(/\s+/).filter(Boolean);
  chain.shown = gaps.rows().filter((row) => (!chain.kind || gaps.get("kind", row) === chain.kind) && (!chain.of || gaps.get("chain", row) === chain.of) &&
    words.every((w) => fold([nameOf("products", gaps.get("product_id", row)), gaps.get("product_id", row), gaps.get("chain", row), gaps.get("segment", row)].join(" ")).includes(w)));
  chain.count.textContent = t("chain.count", { shown: chain.shown.length, all: data.kept.gaps[1] });
  longList(chain.list, chain.shown, gapItem);
}

function gapItem(row) {
  const gaps = data.results.gaps, id = gaps.get("product_id", row), kind = gaps.get("kind", row);
  return h("li", {}, h("a", { href: "#chain/" + encodeURIComponent(id), "data-gap": id, "aria-current": id === chain.chosen ? "true" : null },
    h("span", { class: "name", dir: "auto" }, gaps.get("rank", row) + ". " + nameOf("products", id)),
    h("span", { class: "meta" }, h("span", { class: "badge " + kind }, codeLabel("gap_kind", kind)), h("span", {}, [gaps.get("chain", row), gaps.get("segment", row)].filter(Boolean).join(" · ")), h("span", {}, format.score(gaps.get("score", row))))));
}

function showGap(id) {
  const gaps = data.results.gaps, row = gaps.index("product_id").get(id);
  if (row === undefined) return;
  chain.chosen = id;
  chain.list.querySelectorAll("a").forEach((a) => { if (a.dataset.gap === id) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current"); });
  const get = (name) => gaps.get(name, row), evidence = data.results.gap_evidence, rows = evidence.groups("product_id").get(id) || [];
  const side = (name) => rows.filter((r) => evidence.get("side", r) === name);
  const fact = (label, value) => h("div", {}, h("dt", {}, label), h("dd", {}, value));
  const label = (name) => pick(gaps.schema.columns[name].label);
  const neighbour = (r) => {
    const makers = evidence.get("makers", r), other = evidence.get("other_id", r), link = linkOf("products", other);
    return h("li", {}, h("span", { dir: "auto" }, link ? h("a", { href: link }, nameOf("products", other)) : nameOf("products", other)), makers ? h("span", { class: "here" }, t("gap.makers", { count: makers })) : null);
  };
  const column = (name, label_) => h("div", {}, h("h4", {}, label_), side(name).length ? h("ul", { tabindex: side(name).length > 9 ? 0 : null, "aria-label": label_ }, side(name).map(neighbour)) : h("p", { class: "none" }, t("chain.none_known")));
  const naming = side("need"), buying = side("buyer"), maker = side("maker");
  const bodies = (name, rows_) => [h("h4", { class: "part-h" }, name), h("ul", {}, rows_.slice(0, 12).map((r) => h("li", { dir: "auto" }, nameOf("organisations", evidence.get("other_id", r))))), rows_.length > 12 ? h("p", { class: "note" }, "… " + format.count(rows_.length)) : null];
  fill(chain.detail,
    h("div", { class: "badges" }, h("span", { class: "badge " + get("kind") }, codeLabel("gap_kind", get("kind"))), [get("chain"), get("segment")].filter(Boolean).map((c) => h("span", { class: "badge" }, c))),
    h("h3", { tabindex: -1, dir: "auto" }, nameOf("products", id)),
    h("p", { class: "prose" }, t("gap.why_" + get("kind"), { upstream: get("upstream_here"), upstream_all: get("upstream_all"), downstream: get("downstream_here"), downstream_all: get("downstream_all"), buyers: get("buyers"), needs: get("needs") })),
    h("dl", { class: "facts" }, fact(label("rank"), get("rank")), fact(label("score"), scoreNode(get("score"))), fact(t("chain.upstream_share"), t("chain.of", { here: get("upstream_here"), all: get("upstream_all") })), fact(t("chain.downstream_share"), t("chain.of", { here: get("downstream_here"), all: get("downstream_all") })), fact(label("buyers"), format.count(get("buyers"))), fact(label("needs"), format.count(get("needs"))), fact(label("flow"), format.score(get("flow"))), get("elsewhere") === null ? null : fact(label("elsewhere"), format.count(get("elsewhere"))), get("outflow_share") === null ? null : fact(label("outflow_share"), format.share(get("outflow_share")))),
    h("h4", { class: "part-h" }, t("chain.evidence")),
    h("div", { class: "near" }, column("upstream", t("chain.upstream", { count: side("upstream").length })), h("div", { class: "mid " + get("kind") }, nameOf("products", id)), column("downstream", t("chain.downstream", { count: side("downstream").length }))),
    naming.length ? [h("h4", { class: "part-h" }, t("chain.needs")), h("ul", {}, naming.map((r) => h("li", { dir: "auto" }, h("a", { href: linkOf("needs", evidence.get("other_id", r)) || "#matches" }, nameOf("needs", evidence.get("other_id", r))))))] : null,
    maker.length ? bodies(t("chain.maker"), maker) : null, buying.length ? bodies(t("chain.buyers", { count: buying.length }), buying) : null,
    fillers(id));
}

function fillers(id) {
  const table = data.results.gap_fillers, rows = table.groups("product_id").get(id) || [];
  if (!rows.length) return h("p", { class: "note part-h" }, t("chain.no_fillers"));
  return ["organisation", "achievement", "expert"].map((noun) => {
    const own = rows.filter((r) => table.get("noun", r) === noun);
    if (!own.length) return null;
    return [h("h4", { class: "part-h" }, t("chain.fill_" + noun)), h("ol", { class: "hits" }, own.map((r) => {
      const filler = table.get("filler_id", r), noun_ = noun + "s", org = noun === "organisation" ? null : factOf(noun_, filler, "org_id"), district = factOf(noun_, filler, "district_id");
      return h("li", {}, h("span", { class: "rank" }, table.get("rank", r)),
        h("div", {}, h("div", { class: "what", dir: "auto" }, nameOf(noun_, filler)), h("div", { class: "sub" }, [codeLabel("filler_reason", table.get("reason", r)), org && nameOf("organisations", org), district && nameOf("districts", district), table.get("like_id", r) && t("gap.alike", { name: nameOf("organisations", table.get("like_id", r)), score: format.score(table.get("likeness", r)) }), filler].filter(Boolean).map((x) => h("span", {}, x)))),
        h("span", { class: "score" }, format.score(table.get("score", r))));
    }))];
  });
}
