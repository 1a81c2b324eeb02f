// Who serves whom: experts with the needs that they serve, enterprises with the experts who serve them.

const who = { side: "experts", query: "", district: "", chosen: {}, list: null, detail: null, shown: [] };

const SIDES = {
  experts: {
    ids: () => data.results.loads.col("expert_id"),
    has: (id) => data.results.loads.index("expert_id").has(id),
    needs: (id) => (data.results.assigned.groups("expert_id").get(id) || []).map((r) => data.results.assigned.get("need_id", r)),
    load: (id) => { const { loads } = data.results, row = loads.index("expert_id").get(id); return row === undefined ? null : { assigned: loads.get("assigned", row), wanted: loads.get("free", row) }; },
  },
  organisations: {
    // those that lack most first
    ids: () => { const lacks = new Map([...asking().keys()].map((id) => { const load = SIDES.organisations.load(id); return [id, load.wanted - load.assigned]; })); return [...lacks.keys()].sort((a, b) => lacks.get(b) - lacks.get(a) || collator.compare(nameOf("organisations", a), nameOf("organisations", b))); },
    has: (id) => asking().has(id),
    needs: (id) => asking().get(id).map((row) => data.results.served.get("need_id", row)),
    load: (id) => { const { served } = data.results, sum = (name) => asking().get(id).reduce((n, row) => n + served.get(name, row), 0); return { assigned: sum("assigned"), wanted: sum("wanted") }; },
  },
};

const districtOf = (noun, id) => (id === "" ? null : factOf(noun, id, "district_id"));

function drawWho() {
  const districts = [...new Set(Object.keys(SIDES).flatMap((side) => SIDES[side].ids().map((id) => districtOf(side, id))))].filter(Boolean).sort((a, b) => collator.compare(nameOf("districts", a), nameOf("districts", b)));
  who.turns = Object.keys(SIDES).map((side) => h("button", { type: "button", "aria-pressed": String(side === who.side), onclick: () => turnWho(side) }, t("who." + side)));
  who.search = h("input", { type: "search", value: who.query, oninput: (e) => { who.query = e.target.value; listWho(); } });
  who.count = h("p", { class: "count", role: "status" });
  who.list = h("div", { class: "list", tabindex: 0, role: "group" });
  who.detail = h("article", { class: "card detail", "aria-label": t("who.detail") });
  const node = h("div", { id: "serves/who" }, h("h3", {}, t("who.title")), h("p", { class: "intro" }, t("who.intro")), keptNote("loads") || keptNote("served") ? h("p", { class: "note" }, keptNote("loads") || keptNote("served")) : null,
    h("div", { class: "filters", role: "search", "aria-label": t("who.title") },
      h("span", { class: "seg", role: "group", "aria-label": t("who.sides") }, who.turns),
      h("label", { class: "grow" }, h("span", {}, t("filter.search")), who.search),
      h("label", {}, h("span", {}, t("filter.district")), h("select", { onchange: (e) => { who.district = e.target.value; listWho(); } }, h("option", { value: "" }, t("filter.all")), districts.map((d) => h("option", { value: d, selected: who.district === d }, nameOf("districts", d)))))),
    who.count, h("div", { class: "split" }, who.list, who.detail));
  turnWho(who.side);
  return node;
}

/** From experts to enterprises and back: the list and the one that was chosen there last. */
function turnWho(side) {
  who.side = side;
  who.turns.forEach((button, i) => button.setAttribute("aria-pressed", String(Object.keys(SIDES)[i] === side)));
  who.search.placeholder = t("who.search_" + side);
  who.list.setAttribute("aria-label", t("who." + side));
  listWho();
  const chosen = who.chosen[side];
  showWho(chosen !== undefined && SIDES[side].has(chosen) ? chosen : who.shown.length ? who.shown[0] : null);
}

/** What one of the list is found by: its own name, its organisation, and the needs on the other side. */
function whoText(side, id) {
  if (!data.whoTexts) data.whoTexts = { experts: new Map(), organisations: new Map() };
  const texts = data.whoTexts[side];
  if (!texts.has(id)) texts.set(id, fold([id, nameOf(side, id), side === "experts" ? nameOf("organisations", factOf("experts", id, "org_id")) : "", ...SIDES[side].needs(id).map((n) => nameOf("needs", n))].join(" ")));
  return texts.get(id);
}

function listWho() {
  const side = who.side, words = fold(who.query).split(/\s+/).filter(Boolean), all = SIDES[side].ids();
  who.shown = all.filter((id) => (!who.district || districtOf(side, id) === who.district) && words.every((w) => whoText(side, id).includes(w)));
  who.count.textContent = t("who.count_" + side, { shown: who.shown.length, all: all.length });
  longList(who.list, who.shown, whoItem);
}

/** The load as a short text and a bar: places taken of places offered, experts got of experts wanted. */
const loadNode = ({ assigned, wanted }) => [h("span", { class: "n" }, assigned + " / " + wanted), bar([{ part: wanted ? assigned / wanted : 0, style: "p1" }])];

function whoItem(id) {
  const side = who.side, load = SIDES[side].load(id), district = districtOf(side, id);
  const facts = side === "experts" ? [factOf("experts", id, "org_id") && nameOf("organisations", factOf("experts", id, "org_id"))] : [t("who.needs", { count: SIDES[side].needs(id).length }), district && nameOf("districts", district)];
  return h("li", {}, h("a", { href: "#serves=" + side + "/" + encodeURIComponent(id), "data-who": id, "aria-current": id === who.chosen[side] ? "true" : null },
    h("span", { class: "name", dir: "auto" }, nameOf(side, id)),
    h("span", { class: "meta" }, facts.filter(Boolean).map((f) => h("span", { dir: "auto" }, f)), h("span", { class: "load" }, loadNode(load)))));
}

function showWho(id) {
  const side = who.side;
  who.chosen[side] = id === null ? undefined : id;
  who.list.querySelectorAll("a").forEach((a) => { if (a.dataset.who === id) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current"); });
  if (id === null) return fill(who.detail, h("p", { class: "note" }, t("matches.none")));
  const load = SIDES[side].load(id), needs = SIDES[side].needs(id), get = (name) => (id === "" ? null : factOf(side, id, name));
  const fact = (label, value) => (value ? h("div", {}, h("dt", {}, label), h("dd", { dir: "auto" }, value)) : null);
  const badges = (side === "experts" ? [["expert_title", "title"], ["field", "field"]] : [["org_kind", "kind"]]).filter(([, name]) => get(name)).map(([list, name]) => h("span", { class: "badge" }, codeLabel(list, get(name))));
  const { loads } = data.results, elsewhere = side === "experts" ? loads.get("elsewhere", loads.index("expert_id").get(id)) : 0;
  const price = side === "experts" ? priceOf(data.results.prices, "expert", id) : 0, link = side === "experts" && get("org_id") && linkOf("organisations", get("org_id"));
  fill(who.detail,
    badges.length ? h("div", { class: "badges" }, badges) : null,
    h("h3", { tabindex: -1, dir: "auto" }, nameOf(side, id)),
    h("dl", { class: "facts" }, fact(t("csv.id"), id), fact(t("who.org"), side === "experts" && get("org_id") && (link ? h("a", { href: link }, nameOf("organisations", get("org_id"))) : nameOf("organisations", get("org_id")))),
      fact(t("tip.district"), get("district_id") && nameOf("districts", get("district_id"))), fact(t("who.load_" + side), loadNode(load)), elsewhere ? fact(pick(loads.schema.columns.elsewhere.label), format.count(elsewhere)) : null),
    price ? h("p", { class: "note" }, t("who.price", { price: format.score(price) })) : null,
    h("h4", { class: "part-h" }, t("who.serves_" + side)),
    needs.length ? h("ul", { class: "hits loose" }, needs.map((need) => whoNeed(need, side, id))) : h("p", { class: "empty" }, t("who.idle")));
}

/** One need of the chosen one: of an expert with the colleagues beside, of an enterprise with all who serve it. */
function whoNeed(need, side, id) {
  const { assigned, unmet } = data.results, rows = needFacts().assigned.get(need) || [], org = bodyOf(factOf("needs", need, "org_id")), open = needFacts().unmet.get(need);
  const own = rows.find((r) => assigned.get("expert_id", r) === id), others = rows.filter((r) => r !== own);
  const person = (r) => { const expert = assigned.get("expert_id", r), load = SIDES.experts.load(expert); return h("li", {}, h("a", { href: linkOf("experts", expert), dir: "auto" }, nameOf("experts", expert)), h("span", { class: "n" }, load ? t("who.load", load) : ""), h("span", { class: "n" }, format.score(assigned.get("score", r)))); };
  const orgLink = side === "experts" && org && linkOf("organisations", org);
  return h("li", {},
    h("div", {}, h("div", { class: "what" }, h("a", { href: linkOf("needs", need), dir: "auto" }, nameOf("needs", need))),
      h("div", { class: "sub" }, open === undefined ? null : h("span", { class: "badge break" }, t("need.lacks", { count: unmet.get("missing", open) })), side === "experts" && org ? h("span", { dir: "auto" }, orgLink ? h("a", { href: orgLink }, nameOf("organisations", org)) : nameOf("organisations", org)) : null, h("span", {}, need))),
    h("div", { class: "score" }, own === undefined ? "" : format.score(assigned.get("score", own))),
    h("div", { class: "body" }, others.length ? [side === "experts" ? h("p", { class: "note" }, t("who.beside")) : null, h("ul", { class: "people" }, others.map(person))] : null, open === undefined ? null : hinderedNode(need)));
}
