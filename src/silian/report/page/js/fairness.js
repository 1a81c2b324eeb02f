// The needs that are served worst, and what it would cost to lift them.

function drawFairness() {
  const { assigned, served } = data.results, box = part("fairness");
  if (!data.nouns.experts.n) return fill(box, empty("experts"));
  if (!assigned.n && !served.n) return fill(box, empty("assigned"));
  fill(box, h("div", { class: "stack" }, worstNodes(), priceNodes()));
}

function worstNodes() {
  const view = data.views.worst_served;
  if (!view.n) return h("p", { class: "empty" }, t("worst.none"));
  const open = (datum) => { if (datum.need_id) location.hash = linkOf("needs", datum.need_id); };
  return [chart("worst_served", { click: open }),
    h("div", { class: "card" }, h("h3", {}, t("worst.why")), h("p", { class: "note" }, t("worst.how")), h("ol", { class: "hits" }, view.rows().map(worstItem)))];
}

function worstItem(row) {
  const id = data.views.worst_served.get("need_id", row), org = factOf("needs", id, "org_id"), link = org && linkOf("organisations", org);
  return h("li", {}, h("span", { class: "rank" }, data.views.worst_served.get("rank", row)),
    h("div", {}, h("div", { class: "what" }, h("a", { href: linkOf("needs", id), dir: "auto" }, nameOf("needs", id))),
      h("div", { class: "sub" }, org ? h("span", { dir: "auto" }, link ? h("a", { href: link }, nameOf("organisations", org)) : nameOf("organisations", org)) : null, h("span", {}, id))),
    h("div", { class: "score" }, format.percent(data.views.worst_served.get("reached_share", row))),
    h("div", { class: "body" }, h("p", { class: "because" }, servedText(id)), hinderedNode(id)));
}

/** What the curve says, and the curve where there is one to see. */
function priceNodes() {
  const view = data.views.fairness_curve, plan = boot.receipt.plan.allocate || {};
  if (!view.n) return plan.curve === 0 ? empty("fairness_curve") : null;
  const rows = view.rows(), last = rows[rows.length - 1], get = (name, row) => view.get(name, row);
  // what costs nothing: the total is read to 12 digits, shown to 2
  const least = Math.max(...rows.filter((r) => get("price_share", r) < 1e-9).map((r) => get("worst", r)));
  const most = get("worst", last), values = { from: format.score(least), to: format.score(most), share: format.small(get("price_share", last)), price: format.number(get("price", last)) };
  const said = h("p", { class: "because" }, t(most > least ? "fairness.costs" : most > 0 ? "fairness.free" : "fairness.no_floor", values));
  const { served } = data.results, holds = served.rows().find((r) => served.get("reachable", r) > 0 && Math.abs(served.get("reachable", r) - most) < 1e-4);
  const limit = holds === undefined ? null : h("p", { class: "note" }, t("fairness.held") + " ", h("a", { href: linkOf("needs", served.get("need_id", holds)), dir: "auto" }, nameOf("needs", served.get("need_id", holds))));
  return [h("div", { class: "card" }, h("h3", {}, t("fairness.title")), said, limit, h("p", { class: "note" }, t("fairness.how"), plan.goal === "fair" ? null : " " + t("fairness.choose"))), chart("fairness_curve")];
}
