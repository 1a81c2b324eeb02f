// How evenly the places in the lists are spread.

function drawExposure() {
  const { exposure, exposure_summary: summary } = data.results, box = part("exposure");
  const said = summary.rows().filter((row) => summary.get("gini", row) !== null).map((row) => h("li", {}, t(`exposure.${summary.get("noun", row)}.${summary.get("by", row)}`, {
    top: format.share(summary.get("top_10_share", row)), never: format.share(summary.get("never_share", row)), gini: format.score(summary.get("gini", row)),
  })));
  if (!said.length) return fill(box, h("div", { class: "empty" }, h("strong", {}, t("exposure.empty")), h("span", {}, t("exposure.empty.how"))));
  fill(box, h("div", { class: "stack" },
    h("div", { class: "card" }, h("ul", { class: "told" }, said), h("p", { class: "note" }, t("exposure.how"))),
    chart("exposure_curve"),
    exposure.n ? h("div", { class: "card" }, resultGrid("exposure", { sort: { key: "shown", down: true } }).node) : null));
}
