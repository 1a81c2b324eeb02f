// What keeps experts away from a need, in words.

/** The name of a group that a rule counts: a thing of the region, a code, or the value itself. */
function groupName(value) {
  for (const noun of ["needs", "experts", "organisations", "districts"]) if (data.nouns[noun].index(KEYS[noun]).has(value)) return nameOf(noun, value);
  const list = ["field", "expert_title", "need_kind"].find((name) => (boot.codes[name] || {})[value]);
  return list ? codeLabel(list, value) : value;
}

/** Everything that keeps the candidates of an unmet need away, one sentence each. */
function hindrances(needId) {
  const table = data.results.unmet_reasons;
  return (table.groups("need_id").get(needId) || []).map((row) => {
    const get = (name) => table.get(name, row), reason = get("reason"), rule = get("name");
    const groups = [get("need"), get("expert")].filter((value) => value && value !== needId).map(groupName);
    return t("hindered." + reason, {
      count: get("experts"), expert: get("expert") && groupName(get("expert")), rule: rule && (boot.words["rule." + rule] ? t("rule." + rule) : rule),
      limit: get("limit") === null ? "" : format.number(get("limit")) + groups.map((name) => (at() ? ", " : "，") + name).join(""),
    });
  });
}

/** Better candidates of a need who do not serve it, the best first: rows of expert_pairs. */
function missed(needId) {
  const { expert_pairs: pairs, assigned } = data.results, { served } = needFacts();
  const rows = needFacts().assigned.get(needId) || [], has = new Set(rows.map((r) => assigned.get("expert_id", r)));
  const place = served.get(needId), isShort = place !== undefined && rows.length < data.results.served.get("wanted", place);
  const least = isShort ? 0 : Math.min(...rows.map((r) => assigned.get("score", r)));
  const isKnown = (id) => data.results.loads.index("expert_id").has(id) && !has.has(id);
  return (needFacts().experts.get(needId) || []).filter((r) => isKnown(personOf(pairs.get("target_id", r))) && pairs.get("score", r) > least);
}

/** One better candidate: whom they serve instead, and what one more place of theirs would be worth. */
function missedNode(row) {
  const { expert_pairs: pairs, loads, prices, assigned } = data.results;
  const id = personOf(pairs.get("target_id", row)), place = loads.index("expert_id").get(id);
  const load = { assigned: loads.get("assigned", place), free: loads.get("free", place), held: loads.get("assigned", place) + loads.get("elsewhere", place) };
  const rows = assigned.groups("expert_id").get(id) || [], price = priceOf(prices, "expert", id);
  const state = load.free === 0 ? "none" : load.held >= load.free ? "full" : data.results.proof.get("floor", 0) === null ? "room" : "room_fair";
  return [h("a", { href: linkOf("experts", id), dir: "auto" }, nameOf("experts", id)), h("span", { class: "n" }, " " + format.score(pairs.get("score", row)) + " "), h("span", {}, t("missed." + state, { assigned: load.held, free: load.free })),
    state === "full" && rows.length ? t("missed.serves") : null,
    state === "full" ? rows.slice(0, 2).map((r, i) => [i ? (at() ? ", " : "、") : " ", h("a", { href: linkOf("needs", assigned.get("need_id", r)), dir: "auto" }, nameOf("needs", assigned.get("need_id", r)))]) : null,
    state === "full" && rows.length > 2 ? t("missed.more", { count: rows.length - 2 }) : null,
    price && !state.startsWith("room") ? h("span", {}, t("missed.price", { price: format.score(price) })) : null];
}

/** What one more place of an expert, or one wish less of a need, would add to the total. */
function priceOf(prices, side, id) {
  const row = (prices.groups("id").get(id) || []).find((r) => prices.get("side", r) === side);
  return row === undefined ? 0 : prices.get("price", row);
}

/** Why a need got no more: what stands in the way, and who would have fitted better. */
function hinderedNode(needId) {
  const said = hindrances(needId), better = missed(needId).slice(0, 3);
  if (!said.length && !better.length) return null;
  return h("ul", { class: "told" }, said.map((text) => h("li", { dir: "auto" }, text)), better.map((row) => h("li", {}, missedNode(row))));
}

/** What a need got of what it could get: experts, score, share. */
function servedText(needId) {
  const { served } = data.results, row = needFacts().served.get(needId);
  if (row === undefined) return null;
  const get = (name) => served.get(name, row);
  return t(get("reached_share") === null ? "served.none" : "served.told", { assigned: get("assigned"), wanted: get("wanted"), score: format.score(get("score")), reachable: format.score(get("reachable")), share: format.percent(get("reached_share") || 0) });
}
