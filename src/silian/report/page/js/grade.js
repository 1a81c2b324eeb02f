// How well a match is expected to fit: its level in words and the chances of the four levels, learnt from labels.

const CHANCES = ["p1", "p2", "p3", "p4"];

/** The level of one pair and its chances, or null where it was not graded. */
function gradeOf(pairs, row) {
  const level = pairs.has("level") ? pairs.get("level", row) : null;
  return level === null ? null : { level, chances: CHANCES.map((name) => pairs.get(name, row)) };
}

/** The level, and the chances as four columns: no match on the left, strong on the right, the level's own filled. */
function gradeNode(grade) {
  if (!grade) return null;
  const level = (n) => codeLabel("match_level", n);
  const chances = grade.chances.map((p, i) => level(i + 1) + " " + format.percent(p)).join(at() ? ", " : "，");
  const told = t("grade.told", { level: level(grade.level), chances });
  return h("span", { class: "grade", role: "img", "aria-label": told, title: told }, h("b", {}, level(grade.level)), chanceColumns(grade));
}

/** Four columns on a line; a chance of 1 is as high as the picture. */
function chanceColumns(grade) {
  const wide = 8, high = 22, step = 11;
  const columns = grade.chances.map((p, i) => {
    const height = Math.max(1, p * high);
    return svg("rect", { class: i + 1 === grade.level ? "own" : "other", x: i * step + 1.5, y: high - height + 1, width: wide, height });
  });
  return svg("svg", { viewBox: `0 0 ${4 * step} ${high + 2}`, "aria-hidden": "true" }, columns, svg("path", { d: `M0 ${high + 1.5}H${4 * step}` }));
}
