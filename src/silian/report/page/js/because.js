// Why a match: shared terms marked where they stand, the nearest sentences, and what the tables say of both sides.

/** The places to mark of one pair, or null where the pair was not explained. */
function spotsOf(noun, row) {
  const table = data.spots[noun === "experts" ? "expert_pairs" : "achievement_pairs"], rows = table.groups("pair").get(row);
  return rows ? rows.map((r) => ({ where: table.get("where", r), work: table.get("work", r), item: table.get("item", r), start: table.get("start", r), end: table.get("end", r) })) : null;
}

/** A text with places marked; places count characters, and a character may take two units of a string. */
function markedAt(text, spots) {
  if (!text) return [];
  const signs = /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
  const cut = (from, to) => (signs === text ? text.slice(from, to) : signs.slice(from, to).join(""));
  const nodes = [];
  let done = 0;
  for (const spot of [...spots].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const start = Math.max(spot.start, done);
    if (spot.end <= start || spot.end > signs.length) continue;
    if (start > done) nodes.push(cut(done, start));
    const last = nodes[nodes.length - 1];
    if (start === done && last && last.nodeName === "MARK") last.append(cut(start, spot.end)); else nodes.push(h("mark", {}, cut(start, spot.end)));
    done = spot.end;
  }
  if (done < signs.length) nodes.push(cut(done, signs.length));
  return nodes;
}

/** A text marked at its places where they are known, else wherever the terms stand in it. */
const markedBy = (text, spots, where, terms) => (spots ? markedAt(text, spots.filter((s) => s.where === where)) : marked(text, terms));

/** The facts of one pair by kind. */
function factsOf(noun, needId, targetId) {
  const table = data.results[noun === "experts" ? "expert_facts" : "achievement_facts"], found = {};
  for (const r of table.groups("need_id").get(needId) || []) {
    if (table.get("target_id", r) !== targetId) continue;
    const fact = Object.fromEntries(["need_says", "target_says", "shared", "value"].map((c) => [c, table.get(c, r)]));
    (found[table.get("fact", r)] = found[table.get("fact", r)] || []).push(fact);
  }
  return found;
}

/** One sentence made of the facts of a pair. */
function sentenceOf(facts) {
  const stages = (rows) => rows.map((f) => codeLabel("project_stage", f.shared) + " " + f.value).join(at() ? ", " : "、");
  const sum = (rows) => rows.reduce((n, f) => n + f.value, 0);
  const first = (kind) => (facts[kind] || [])[0];
  const said = [];
  const say = (kind, key, values) => { const fact = first(kind); if (fact) said.push(t("because." + key(fact), values(fact))); };
  say("field", () => "field", (f) => ({ name: codeLabel("field", f.shared) }));
  say("product", () => "product", (f) => ({ name: nameOf("products", f.shared) }));
  if (first("industry") && first("industry").value > 1) say("industry", () => "industry", (f) => ({ code: f.shared }));
  if (first("ipc") && first("ipc").value > 1) say("ipc", (f) => "ipc." + f.value, (f) => ({ code: f.shared }));
  say("trl", (f) => "trl." + (f.value < 0 ? "below" : f.value > 0 ? "above" : "met"), (f) => ({ has: f.target_says, count: Math.abs(f.value) }));
  say("distance", (f) => (f.value < 1 ? "near" : "distance"), (f) => ({ km: Math.round(f.value) }));
  for (const kind of ["past_pair", "past_target", "past_organisations"]) say(kind, () => kind, () => ({ count: sum(facts[kind]), stages: stages(facts[kind]) }));
  say("past_sales", () => "past_sales", (f) => ({ money: format.money(f.value) }));
  if (!said.length) return null;
  const whole = said.join(at() ? "; " : "；");
  return at() ? whole[0].toUpperCase() + whole.slice(1) + "." : whole + "。";
}

/** What speaks for a match, and what against it, in words. */
function because(noun, needId, targetId) {
  const facts = factsOf(noun, needId, targetId), sentence = sentenceOf(facts);
  const near = (facts.sentence || [])[0];
  const side = (label, text) => h("p", {}, h("span", { class: "n" }, t("because." + label)), h("span", { dir: "auto" }, text));
  const nodes = [
    sentence ? h("p", { class: "because", dir: "auto" }, sentence) : null,
    (facts.nice_to_have || []).map((f) => h("p", { class: "because", dir: "auto" }, t("because.nice_to_have", { what: f.need_says, said: f.target_says }))),
    (facts.not_wanted || []).map((f) => h("p", { class: "because against", dir: "auto" }, t("because.not_wanted", { what: f.need_says, said: f.target_says }))),
    (facts.example || []).slice(0, 2).map((f) => h("p", { class: "because", dir: "auto" }, t("because.example", { need: nameOf("needs", f.need_says), target: nameOf(noun, f.target_says), level: codeLabel("match_level", f.shared) }))),
    near ? h("div", { class: "nearest" }, h("p", { class: "head" }, t("because.sentence", { near: format.score(near.value) })), side("need_says", near.need_says), side("target_says", near.target_says)) : null,
  ];
  return nodes.flat().filter(Boolean);
}
