// Language, theme, routes, and the order in which the parts appear.

const PARTS = { overview: drawFigures, matches: drawMatches, serves: drawServes, fairness: drawFairness, unmet: drawUnmet, exposure: drawExposure, chain: drawChain, districts: drawDistricts, problems: drawProblems, registers: drawRegisters, made: drawMade };

function translate() {
  document.documentElement.lang = at() ? "en" : "zh-CN";
  document.querySelectorAll("[data-t]").forEach((node) => { node.textContent = t(node.dataset.t, node.dataset.v ? JSON.parse(node.dataset.v) : null); });
  document.querySelectorAll("[data-label]").forEach((node) => node.setAttribute("aria-label", t(node.dataset.label)));
  const language = document.getElementById("language");
  language.textContent = at() ? "中文" : "English";
  language.lang = at() ? "zh-CN" : "en";
  document.title = [boot.receipt.region, t("title")].filter(Boolean).join(" · ");
  themeButton();
}

/** Put on a theme; done when every picture is drawn in it. */
async function wear(theme) {
  if (document.documentElement.dataset.theme === theme) return;
  document.documentElement.dataset.theme = theme;
  themeButton();
  await Promise.all(pictures.map((p) => p.again()));
}

function themeButton() {
  const dark = document.documentElement.dataset.theme === "dark", button = document.getElementById("theme");
  fill(button, t(dark ? "theme.light" : "theme.dark"));
}

function drawAll() {
  pictures.splice(0).forEach((p) => p.gone());
  for (const draw of Object.values(PARTS)) draw();
}

/** #section, #section=filter, #section/id */
function follow() {
  const [, section, filter, id] = /^#([a-z]+)(?:=([\w-]*))?(?:\/(.*))?$/.exec(location.hash) || [];
  if (!section || !PARTS[section]) return;
  const wanted = id === undefined ? null : decodeURIComponent(id);
  let target = document.getElementById(section + (wanted ? "/" + wanted : "")) || document.getElementById(section);
  if (section === "matches" && data.nouns.needs.n) {
    if (filter !== undefined) { Object.assign(matches, { state: NEED_STATES[filter] ? filter : "", query: "", field: "", district: "", chosen: null }); drawMatches(); }
    if (wanted !== null && data.nouns.needs.index("need_id").has(wanted)) target = goTo(matches, wanted, showNeed);
  }
  if (section === "serves" && SIDES[filter] && who.list) {
    turnWho(filter);
    if (wanted !== null && SIDES[filter].has(wanted)) target = goTo(who, wanted, showWho);
  }
  if (section === "chain" && data.results.gaps.n) {
    if (filter !== undefined) { chain.kind = filter; drawGaps(); target = chain.gapBox; }
    if (wanted !== null && data.results.gaps.index("product_id").has(wanted)) target = goTo(chain, wanted, showGap);
  }
  if (section === "registers" && filter && data.nouns[filter] && data.nouns[filter].n) registers.show(filter);
  if (target) target.scrollIntoView({ block: "start" });
}

/** Show one thing in its detail; scroll and move the focus only if the reader came from elsewhere. */
function goTo(section, id, show) {
  const fromList = section.list.contains(document.activeElement);
  show(id);
  const head = section.detail.querySelector("h3"), box = section.detail.getBoundingClientRect();
  announce(head ? head.textContent : "");
  if (fromList && box.top < innerHeight * 0.6 && box.bottom > 80) return null;
  if (!fromList && head) head.focus({ preventScroll: true });
  return section.detail;
}

/** Mark where the reader is in the list of sections. */
function spy() {
  const links = [...document.querySelectorAll(".side a")], sections = links.map((a) => document.getElementById(a.hash.slice(1)));
  let asked = false;
  const mark = () => {
    asked = false;
    let here = 0;
    sections.forEach((s, i) => { if (s.getBoundingClientRect().top < 160) here = i; });
    if (innerHeight + scrollY > document.documentElement.scrollHeight - 4) here = links.length - 1;
    if (links[here].hasAttribute("aria-current")) return;
    links.forEach((a, i) => { if (i === here) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current"); });
    const list = links[here].closest("ul");
    if (list.scrollWidth > list.clientWidth) list.scrollLeft = links[here].offsetLeft - 40;
  };
  addEventListener("scroll", () => { if (!asked) { asked = true; requestAnimationFrame(mark); } }, { passive: true });
  mark();
}

document.getElementById("language").addEventListener("click", () => {
  state.language = at() ? "zh" : "en";
  memory.keep("language", state.language);
  const top = scrollY;
  translate();
  drawAll();
  scrollTo(0, top);
});
document.getElementById("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  memory.keep("theme", theme);
  wear(theme);
});
// paper is light, and holds every picture whether the reader has seen it or not
document.getElementById("print").addEventListener("click", async () => {
  const theme = document.documentElement.dataset.theme;
  await wear("light");
  await Promise.all(pictures.map((p) => p.look()));
  print();
  wear(theme);
});
addEventListener("hashchange", follow);

if (at()) translate(); else themeButton();
spy();
(async () => {
  try {
    if (typeof DecompressionStream === "undefined") throw new Error(t("old_browser"));
    await unpack();
    drawAll();
    if (location.hash) follow();
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    document.querySelectorAll("[data-part]").forEach((node) => fill(node, h("p", { class: "notice", role: "alert" }, t("failed") + " " + error.message)));
    throw error;
  }
})();
