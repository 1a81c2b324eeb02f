// The figures of the run, who serves whom, and what stays open.

/** Where the list behind each figure of the summary stands. */
const FIGURES = {
  needs: "#matches=", needs_matched: "#matches=matched", achievements: "#registers=achievements", experts: "#registers=experts",
  works: "#registers=works", organisations: "#registers=organisations", enterprises: "#registers=organisations", same_organisations: "#problems/same",
  products: "#registers=products", achievement_pairs: "#matches=matched", expert_pairs: "#matches=", conflicts: "#serves/conflicts",
  experts_wanted: "#districts", experts_assigned: "#serves/assigned", needs_unmet: "#unmet", score_total: "#serves/assigned",
  breaks: "#chain=break", blanks: "#chain=blank", outflows: "#chain=outflow", singles: "#chain=single", problems: "#problems", problems_grave: "#problems",
};

function drawFigures() {
  const summary = data.results.summary;
  const rows = summary.rows().map((row) => {
    const name = summary.get("name", row), value = summary.get("value", row);
    return h("a", { href: FIGURES[name] || "#overview" }, h("span", {}, codeLabel("summary", name)), h("b", {}, Number.isInteger(value) ? format.count(value) : format.number(value)));
  });
  const all = rows.length ? h("div", { class: "card" }, h("h3", {}, t("figures.all", { count: rows.length })), h("div", { class: "tallies" }, rows)) : null;
  // beside a long chart of fields there is room for the figures; under a short one they take the whole width
  const isLong = data.views.needs_by_field.n > 16;
  fill(part("figures"), h("h2", { class: "unseen" }, t("figures.title")),
    h("div", { class: "cards more" }, chart("needs_by_field"), isLong ? h("div", { class: "stack" }, chart("best_scores"), all) : chart("best_scores")), isLong ? null : all);
}

function drawServes() {
  const { assigned, loads, conflicts, prices } = data.results, box = part("serves");
  if (!data.nouns.experts.n) return fill(box, empty("experts"));
  const need = (name) => (row) => factOf("needs", assigned.get("need_id", row), name);
  const expert = (name) => (row) => factOf("experts", assigned.get("expert_id", row), name);
  const derived = (key, noun, label, id) => ({
    key, label: () => t(label), value: (row) => nameOf(noun, id(row)), node: (row) => (id(row) ? nameOf(noun, id(row)) : "–"),
    csv: { heads: () => [t(label)], cells: (row) => [id(row) ? nameOf(noun, id(row)) : ""] },
  });
  const [needColumn, expertColumn, scoreColumn] = schemaColumns(assigned);
  const columns = [needColumn, derived("need_org", "organisations", "col.need_org", need("org_id")), derived("need_district", "districts", "col.need_district", need("district_id")),
    expertColumn, derived("expert_org", "organisations", "col.expert_org", expert("org_id")), derived("expert_district", "districts", "col.expert_district", expert("district_id")),
    Object.assign({}, scoreColumn, { node: (row) => scoreNode(assigned.get("score", row)) })];
  fill(box,
    assigned.n ? null : empty("assigned"),
    proofNode(),
    h("div", { class: "cards" }, chart("served_between"), chart("load_spread")),
    h("div", { class: "stack" },
      loads.n ? drawWho() : null,
      assigned.n ? h("div", { class: "card", id: "serves/assigned" }, resultGrid("assigned", { columns, sort: { key: "score", down: true } }).node) : null,
      chart("busiest_experts"),
      loads.n ? h("div", { class: "card" }, resultGrid("loads").node) : null,
      prices.n ? h("div", { class: "card" }, h("h3", {}, t("prices.title")), h("p", { class: "intro" }, t("prices.intro")), resultGrid("prices", { bare: true }).node) : null,
      conflicts.n ? h("div", { class: "card", id: "serves/conflicts" }, h("h3", {}, t("conflicts.title")), h("p", { class: "intro" }, t("conflicts.intro")), resultGrid("conflicts", { bare: true }).node) : null));
}

/** The proof of the assignment in words. */
function proofNode() {
  const { proof } = data.results;
  if (!proof.n || !data.results.assigned.n) return null;
  const get = (name) => proof.get(name, 0), number = (name) => format.number(get(name)), floor = get("floor");
  const total = { total: number("total"), bound: number("bound"), gap: format.number(get("bound") - get("total")), share: ((get("bound") - get("total")) / get("bound") * 100).toFixed(2) + "%" };
  const sought = floor === null ? t("proof.total") : t(floor === 0 ? "proof.fair_none" : get("floor_bound") - floor < 1e-4 ? "proof.fair" : "proof.fair_bound", { protected: get("protected"), floor: format.score(floor), bound: format.score(get("floor_bound")) });
  return h("div", { class: "card proof" }, h("h3", {}, pick(proof.schema.label)), h("ul", { class: "told" },
    h("li", {}, sought), h("li", {}, t(get("is_optimal") ? (floor === null ? "proof.best" : "proof.best_above") : "proof.gap", total)),
    get("smallest_score") === null ? null : h("li", {}, t(get("smallest_score") > 0 ? "proof.smallest" : "proof.nobody", { score: format.score(get("smallest_score")) }), " ", h("a", { href: "#fairness" }, t("proof.more")))));
}

function drawUnmet() {
  const { unmet } = data.results, box = part("unmet");
  if (!unmet.n) return fill(box, data.results.assigned.n ? h("p", { class: "empty" }, t("unmet.none")) : empty("assigned"));
  const pairs = data.results.expert_pairs, best = needFacts().experts;
  const first = (row) => { const rows = best.get(unmet.get("need_id", row)); return rows ? rows[0] : null; };
  const field = (row) => factOf("needs", unmet.get("need_id", row), "field"), district = (row) => factOf("needs", unmet.get("need_id", row), "district_id");
  const [need, missing, reason] = schemaColumns(unmet);
  const plain = (key, label, text) => ({ key, label: () => t(label), value: text, node: text, csv: { heads: () => [t(label)], cells: (row) => [text(row)] } });
  const columns = [need, plain("field", "tip.field", (row) => codeLabel("field", field(row))), plain("district", "tip.district", (row) => nameOf("districts", district(row))), missing, reason,
    { key: "hindered", long: true, label: () => t("col.hindered"), value: (row) => hindrances(unmet.get("need_id", row)).join(at() ? "; " : "；"), node: (row) => h("ul", {}, hindrances(unmet.get("need_id", row)).map((text) => h("li", {}, text))),
      csv: { heads: () => [t("col.hindered")], cells: (row) => [hindrances(unmet.get("need_id", row)).join(at() ? "; " : "；")] } },
    { key: "nearest", long: true, label: () => t("col.nearest"), value: (row) => (first(row) === null ? "" : nameOf("experts", pairs.get("target_id", first(row)))),
      node: (row) => (first(row) === null ? "–" : [nameOf("experts", pairs.get("target_id", first(row))), " ", h("span", { class: "note" }, format.score(pairs.get("score", first(row))))]),
      csv: { heads: () => [t("col.nearest"), t("csv.id")], cells: (row) => (first(row) === null ? ["", ""] : [nameOf("experts", pairs.get("target_id", first(row))), pairs.get("target_id", first(row))]) } }];
  fill(box, h("div", { class: "stack" }, chart("unmet"), h("div", { class: "card" }, resultGrid("unmet", { columns }).node)));
}
