// Needs on the left; on the right one need with what answers it, and why.

const needFacts = () => {
  if (!data.needFacts) {
    const matched = data.results.achievement_pairs.groups("need_id"), experts = data.results.expert_pairs.groups("need_id");
    const assigned = data.results.assigned.groups("need_id"), unmet = data.results.unmet.index("need_id"), served = data.results.served.index("need_id");
    data.needFacts = { matched, experts, assigned, unmet, served };
  }
  return data.needFacts;
};

const NEED_STATES = {
  matched: (id) => needFacts().matched.has(id),
  unmatched: (id) => !needFacts().matched.has(id),
  served: (id) => needFacts().assigned.has(id) && !needFacts().unmet.has(id),
  unmet: (id) => needFacts().unmet.has(id),
};

const matches = { query: "", field: "", district: "", state: "", chosen: null, tab: "achievements", list: null, detail: null, shown: [] };

function drawMatches() {
  const needs = data.nouns.needs, box = part("matches");
  if (!needs.n) return fill(box, empty("needs"));
  const options = (values, label, noun) => [h("option", { value: "" }, t("filter.all")), [...new Set(values)].filter((v) => v !== null).sort((a, b) => collator.compare(label(a), label(b))).map((v) => h("option", { value: v, selected: matches[noun] === v }, label(v)))];
  const select = (noun, key, choices) => h("label", {}, h("span", {}, t(key)), h("select", { onchange: (e) => { matches[noun] = e.target.value; listNeeds(); } }, choices));
  const states = [h("option", { value: "" }, t("filter.all")), Object.keys(NEED_STATES).map((s) => h("option", { value: s, selected: matches.state === s }, t("need." + s)))];
  matches.count = h("p", { class: "count", role: "status" });
  matches.list = h("div", { class: "list", tabindex: 0, role: "group", "aria-label": t("matches.list") });
  matches.detail = h("article", { class: "card detail", "aria-label": t("matches.detail") });
  fill(box,
    data.results.achievement_pairs.n ? null : empty("matches"),
    h("div", { class: "filters", role: "search", "aria-label": t("matches.list") },
      h("label", { class: "grow" }, h("span", {}, t("filter.search")), h("input", { type: "search", value: matches.query, placeholder: t("matches.search"), oninput: (e) => { matches.query = e.target.value; listNeeds(); } })),
      select("field", "filter.field", options(needs.col("field"), (v) => codeLabel("field", v), "field")),
      select("district", "filter.district", options(needs.col("district_id"), (v) => nameOf("districts", v), "district")),
      select("state", "filter.state", states),
      h("button", { type: "button", class: "plain", onclick: matchesCsv }, t("matches.csv"))),
    matches.count,
    h("div", { class: "split" }, matches.list, matches.detail));
  listNeeds();
  showNeed(matches.chosen && needs.index("need_id").has(matches.chosen) ? matches.chosen : matches.shown.length ? needs.get("need_id", matches.shown[0]) : null);
}

function needText(row) {
  const needs = data.nouns.needs;
  if (!data.needTexts) data.needTexts = needs.rows().map((r) => fold([needs.get("need_id", r), needs.get("title", r), needs.get("text", r), needs.get("org_id", r) && nameOf("organisations", needs.get("org_id", r))].join(" ")));
  return data.needTexts[row];
}

function listNeeds() {
  const needs = data.nouns.needs, words = fold(matches.query).split(/\s+/).filter(Boolean), keep = NEED_STATES[matches.state];
  matches.shown = needs.rows().filter((row) =>
    (!matches.field || needs.get("field", row) === matches.field) && (!matches.district || needs.get("district_id", row) === matches.district) &&
    (!keep || keep(needs.get("need_id", row))) && words.every((w) => needText(row).includes(w)));
  matches.count.textContent = t("matches.count", { shown: matches.shown.length, all: data.kept.needs[1] });
  longList(matches.list, matches.shown, needItem);
}

function needItem(row) {
  const needs = data.nouns.needs, id = needs.get("need_id", row), facts = needFacts();
  const best = (name, groups) => { const rows = groups.get(id); return rows ? format.score(data.results[name].get("score", rows[0])) : "–"; };
  return h("li", {}, h("a", { href: "#matches/" + encodeURIComponent(id), "data-need": id, "aria-current": id === matches.chosen ? "true" : null },
    h("span", { class: "name", dir: "auto" }, needs.get("title", row)),
    h("span", { class: "meta" },
      h("span", {}, codeLabel("field", needs.get("field", row))),
      h("span", {}, t("matches.best", { achievement: best("achievement_pairs", facts.matched), expert: best("expert_pairs", facts.experts) })),
      facts.unmet.has(id) ? h("span", { class: "badge break" }, t("need.lacks", { count: data.results.unmet.get("missing", facts.unmet.get(id)) })) : null)));
}

function showNeed(id) {
  matches.chosen = id;
  matches.list.querySelectorAll("a").forEach((a) => { if (a.dataset.need === id) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current"); });
  if (id === null) return fill(matches.detail, h("p", { class: "note" }, t("matches.choose")));
  const needs = data.nouns.needs, row = needs.index("need_id").get(id), facts = needFacts(), get = (name) => needs.get(name, row);
  const found = { achievements: facts.matched.get(id) || [], experts: facts.experts.get(id) || [] };
  const assigned = new Set((facts.assigned.get(id) || []).map((r) => data.results.assigned.get("expert_id", r)));
  const terms = new Set();
  for (const [noun, rows] of Object.entries(found)) for (const r of rows.slice(0, 5)) for (const p of partsOf(pairsOf(noun), r)) if (p.kind === "word") terms.add(p.term);
  const explained = Object.entries(found).flatMap(([noun, rows]) => rows.map((r) => spotsOf(noun, r))).filter(Boolean);
  const spots = explained.length ? explained.flat() : null;
  const fact = (label, value) => (value ? [h("div", {}, h("dt", {}, label), h("dd", { dir: "auto" }, value))] : []);
  const label = (name) => pick(needs.schema.columns[name].label);
  const typed = (name) => (get(name) === null ? null : shown(needs.schema.columns[name].type, name, get(name), needs.schema.columns[name].codes));
  const tab = (noun) => h("button", { type: "button", role: "tab", id: "tab-" + noun, "aria-controls": "hits", "aria-selected": String(matches.tab === noun), tabindex: matches.tab === noun ? 0 : -1, onclick: () => turnTab(noun), onkeydown: moveTab }, t("matches." + noun, { count: found[noun].length }));
  const conflicts = data.results.conflicts.groups("need_id").get(id) || [];
  fill(matches.detail,
    h("div", { class: "badges" },
      h("span", { class: "badge" }, codeLabel("field", get("field"))), h("span", { class: "badge" }, codeLabel("need_kind", get("kind"))),
      facts.unmet.has(id)
        ? h("span", { class: "badge break" }, t("need.lacks", { count: data.results.unmet.get("missing", facts.unmet.get(id)) }) + " · " + codeLabel("unmet_reason", data.results.unmet.get("reason", facts.unmet.get(id))))
        : assigned.size ? h("span", { class: "badge good" }, t("need.has", { count: assigned.size })) : null),
    h("h3", { tabindex: -1, dir: "auto" }, markedBy(get("title"), spots, "needs.title", [...terms])),
    h("dl", { class: "facts" },
      fact(label("need_id"), id), fact(label("org_id"), get("org_id") && nameOf("organisations", get("org_id"))), fact(label("district_id"), get("district_id") && nameOf("districts", get("district_id"))),
      fact(label("budget_cny"), typed("budget_cny")), fact(label("trl_wanted"), typed("trl_wanted")), fact(label("deadline_on"), typed("deadline_on")), fact(label("experts_wanted"), typed("experts_wanted")),
      fact(label("product_id"), get("product_id") && nameOf("products", get("product_id")))),
    get("text") ? h("p", { class: "prose", dir: "auto" }, markedBy(get("text"), spots, "needs.text", [...terms])) : null,
    ["must_have", "nice_to_have", "not_wanted"].map((name) => (get(name) && get(name).length ? h("p", { class: "prose", dir: "auto" }, h("strong", {}, label(name) + (at() ? ": " : "：")), get(name).flatMap((said, i) => [i ? (at() ? "; " : "；") : "", markedBy(said, spots && spots.filter((s) => s.item === i + 1), "needs." + name, [...terms])])) : null)),
    servedNode(id),
    h("div", { class: "tabs", role: "tablist", "aria-label": t("matches.answers") }, tab("achievements"), tab("experts")),
    h("div", { id: "hits", role: "tabpanel", "aria-labelledby": "tab-" + matches.tab },
      hits(matches.tab, found[matches.tab], assigned),
      matches.tab === "experts" && conflicts.length ? h("p", { class: "note" }, t("matches.conflicts", { who: conflicts.slice(0, 8).map((r) => nameOf("experts", data.results.conflicts.get("expert_id", r)) + "（" + codeLabel("conflict_kind", data.results.conflicts.get("kind", r)) + "）").join("、"), count: conflicts.length })) : null));
}

/** What the need got in the assignment, and why no more. */
function servedNode(id) {
  const text = servedText(id);
  return text ? h("div", { class: "told-box" }, h("h4", {}, t("served.title")), h("p", { class: "because" }, text), hinderedNode(id)) : null;
}

const pairsOf = (noun) => data.results[noun === "experts" ? "expert_pairs" : "achievement_pairs"];

function turnTab(noun) {
  matches.tab = noun;
  showNeed(matches.chosen);
  document.getElementById("tab-" + noun).focus();
}

function moveTab(event) {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  event.preventDefault();
  turnTab(matches.tab === "experts" ? "achievements" : "experts");
}

function hits(noun, rows, assigned) {
  if (!rows.length) return h("p", { class: "empty" }, t("matches.no_" + noun));
  return h("ol", { class: "hits" }, rows.map((row) => hit(noun, row, assigned)));
}

function hit(noun, row, assigned) {
  const pairs = pairsOf(noun), id = pairs.get("target_id", row), table = data.nouns[noun], at_ = table.index(KEYS[noun]).get(id);
  const get = (name) => (at_ === undefined ? null : table.get(name, at_));
  const parts = partsOf(pairs, row), terms = parts.filter((p) => p.kind === "word").map((p) => p.term);
  const spots = spotsOf(noun, row);
  let words = 0;
  for (const p of parts) p.style = p.kind === "meaning" ? "pm" : p.kind === "rest" ? "pr" : "p" + Math.min(6, words++);
  const facts = noun === "experts"
    ? [get("title") && codeLabel("expert_title", get("title")), get("org_id") && nameOf("organisations", get("org_id")), get("field") && codeLabel("field", get("field")), get("district_id") && nameOf("districts", get("district_id"))]
    : [get("org_id") && nameOf("organisations", get("org_id")), get("trl") && "TRL " + get("trl"), get("ip_status") && codeLabel("ip_status", get("ip_status")), get("offer_kind") && codeLabel("offer_kind", get("offer_kind")), get("price_cny") !== null && format.money(get("price_cny")), get("district_id") && nameOf("districts", get("district_id"))];
  const score = pairs.get("score", row);
  const said = parts.map((p) => partName(p) + " " + format.score(p.part)).join(at() ? ", " : "，");
  return h("li", {},
    h("span", { class: "rank" }, pairs.get("rank", row)),
    h("div", {},
      h("div", { class: "what", dir: "auto" }, noun === "experts" ? nameOf("experts", id) : markedBy(get("title") || String(id), spots, "achievements.title", terms)),
      h("div", { class: "sub" }, noun === "experts" && assigned.has(personOf(id)) ? h("span", { class: "badge good" }, t("matches.assigned")) : null, facts.filter(Boolean).map((f) => h("span", { dir: "auto" }, f)), h("span", {}, id))),
    h("div", { class: "score" }, format.score(score), gradeNode(gradeOf(pairs, row))),
    h("div", { class: "body" },
      h("div", { class: "bar", role: "img", "aria-label": t("matches.score", { score: format.score(score), parts: said }) }, bar(parts).childNodes.length ? [...bar(parts).childNodes] : null),
      h("ul", { class: "parts" }, parts.map((p) => h("li", {}, h("i", { class: p.style, "aria-hidden": "true" }), h("span", { dir: "auto" }, partName(p)), h("span", { class: "n" }, format.score(p.part))))),
      because(noun, pairs.get("need_id", row), id),
      reasons(noun, id, get, terms, spots)));
}

/** The text behind a match with the shared terms marked: unfolded on demand. */
function reasons(noun, id, get, terms, spots) {
  const text = get(noun === "experts" ? "profile" : "text");
  const works = noun === "experts" ? bestWorks(id, terms, spots) : [];
  if (!text && !works.length) return null;
  return h("details", { ontoggle: (event) => {
    const box = event.target;
    if (!box.open || box.childNodes.length > 1) return;
    if (text) box.append(h("p", { class: "prose", dir: "auto" }, markedBy(text, spots, noun === "experts" ? "experts.profile" : "achievements.text", terms)));
    if (works.length) box.append(h("ul", { class: "works prose" }, works.map((w) => h("li", { dir: "auto" }, h("span", { class: "n" }, [w.year, w.kind && codeLabel("work_kind", w.kind)].filter(Boolean).join(" · ")), w.title))));
  } }, h("summary", {}, t(noun === "experts" ? "matches.works" : "matches.text")));
}

/** Five works of an expert: first those that share most terms with the need. */
function bestWorks(id, terms, spots) {
  const works = data.nouns.works, sought = terms.map(fold);
  const rows = (works.groups("expert_id").get(id) || []).map((row) => {
    const title = works.get("title", row) || "", folded = fold(title), here = spots && spots.filter((s) => s.work === works.get("work_id", row));
    const nodes = here ? markedAt(title, here) : marked(title, terms);
    return { title: nodes, year: works.get("year", row), kind: works.get("kind", row), shared: here ? here.length : sought.filter((w) => folded.includes(w)).length };
  });
  return rows.sort((a, b) => b.shared - a.shared || (b.year || 0) - (a.year || 0)).slice(0, 5);
}

function matchesCsv() {
  const heads = [], rows = [];
  const needs = data.nouns.needs, label = (table, name) => pick(table.schema.columns[name].label);
  const pairs = data.results.achievement_pairs, graded = pairs.has("level") ? ["level", ...CHANCES] : [];
  heads.push(label(needs, "need_id"), label(needs, "title"), t("csv.kind"), t("csv.id"), t("csv.name"), label(pairs, "rank"), label(pairs, "score"));
  heads.push(...graded.map((name) => pick(boot.schema.results.grades.columns[name].label)), label(pairs, "why"));
  for (const row of matches.shown) {
    const id = needs.get("need_id", row);
    for (const [noun, groups] of [["achievements", needFacts().matched], ["experts", needFacts().experts]]) {
      for (const r of groups.get(id) || []) {
        const of = pairsOf(noun), target = of.get("target_id", r);
        const grade = graded.map((name) => (of.has(name) && name === "level" && of.get(name, r) ? codeLabel("match_level", of.get(name, r)) : of.get(name, r)));
        rows.push([id, needs.get("title", row), pick(data.nouns[noun].schema.label), target, nameOf(noun, target), of.get("rank", r), of.get("score", r), ...grade, partsOf(of, r).map((p) => partName(p) + " " + p.part.toFixed(3)).join("；")]);
      }
    }
  }
  downloadCsv("matches", heads, rows);
}
