// A picture with its table behind it: drawn when it comes into view, again when language, theme or width change.

const pictures = [];
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { const p = pictures.find((x) => x.host === entry.target); if (p) p.look(); }
}, { rootMargin: "300px" });

let resizing = 0;
addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(() => pictures.forEach((p) => p.resized()), 200); });

/** The colours of a chart in the dark: each light colour has its counterpart. */
function themed(spec) {
  if (document.documentElement.dataset.theme !== "dark") return spec;
  let text = JSON.stringify(spec);
  for (const [light, dark] of Object.entries(boot.dark)) text = text.split('"' + light + '"').join('"' + dark + '"');
  return JSON.parse(text);
}

/** The spec of a picture in the reader's language, with its shared rows. */
function specOf(name) {
  const own = data.charts[state.language === "en" ? "en" : "zh"][name];
  if (!own) return null;
  const spec = JSON.parse(JSON.stringify(own));
  for (const [key, rows] of Object.entries(data.charts.shared)) {
    const [of, set] = key.split(/\.(.*)/);
    if (of === name) spec.datasets[set] = JSON.parse(JSON.stringify(rows));
  }
  return spec;
}

/** A spec whose names beside bars leave room for the bars. */
const roomy = (spec, width) => JSON.parse(JSON.stringify(spec), (key, value) => (
  key === "axis" && value && value.labelLimit ? { ...value, labelLimit: Math.min(value.labelLimit, width * 0.45) } : value));

/** A spec whose legend, too long for one line, is a column that may reach over the names. */
function stacked(spec, width) {
  const legend = { ...spec.config.legend, direction: "vertical", labelLimit: width - 30, layout: { top: { anchor: "end", direction: "vertical", margin: 4 } } };
  return { ...spec, config: { ...spec.config, legend } };
}

const runsOut = (host) => [...host.querySelectorAll(".role-legend")].some((n) => n.getBoundingClientRect().right > host.getBoundingClientRect().right + 2);

function showTip(handler, event, item, value) {
  const tip = document.getElementById("tip");
  if (value === null || value === undefined || value === "") { tip.hidden = true; return; }
  const lines = typeof value === "object" ? Object.entries(value) : [["", String(value)]];
  fill(tip, lines.map(([k, v]) => h("div", {}, h("span", {}, k), h("b", {}, String(v)))));
  tip.hidden = false;
  const x = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const y = event.clientY + 18 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : event.clientY + 18;
  tip.style.left = Math.max(8, x) + "px";
  tip.style.top = y + "px";
}

/**
 * options: name, spec() → Vega-Lite, columns and rows of the table behind, click(datum), title and note (else the spec's).
 */
function picture(options) {
  const spec = options.spec();
  const title = options.title || spec.title.text, note = options.note === undefined ? spec.title.subtitle : options.note;
  const host = h("div", { class: "chart", role: "img", "aria-label": spec.description });
  host.style.minHeight = spec.height + 56 + "px"; // room for axis and legend, so that nothing moves when it is drawn
  const behind = h("div", { hidden: true });
  let view = null, asked = false, width = 0, hasTable = false;

  async function show(spec) {
    const inner = h("div");
    const made = await vegaEmbed(inner, spec, { actions: false, renderer: "svg", ast: true, defaultStyle: false, tooltip: showTip, hover: false, logLevel: 1 });
    if (view) view.finalize();
    view = made.view;
    inner.querySelectorAll("svg").forEach((svg) => svg.setAttribute("aria-hidden", "true"));
    fill(host, inner);
  }

  async function draw() {
    asked = true;
    width = host.clientWidth;
    if (!width) { asked = false; return; }
    const own = roomy(themed(options.spec()), width);
    const least = (own.usermeta && own.usermeta.min_width) || 0;
    delete own.title;
    delete own.usermeta;
    own.width = Math.max(width, least) - 2;
    own.autosize = { type: "fit-x", contains: "padding" };
    own.background = null;
    own.padding = { left: 0, right: 8, top: 4, bottom: 4 };
    // wide pictures scroll sideways inside their frame, so they take part in the order of the keyboard
    if (least > width) host.setAttribute("tabindex", "0"); else host.removeAttribute("tabindex");
    await show(own);
    if (least <= width && runsOut(host)) await show(stacked(own, width));
    host.style.minHeight = host.firstChild.offsetHeight + "px";
    if (options.click) view.addEventListener("click", (event, item) => { if (item && item.datum) options.click(item.datum); });
  }

  function turn(toTable) {
    host.hidden = toTable;
    behind.hidden = !toTable;
    if (toTable && !hasTable) { behind.append(grid({ name: options.name, title, bare: true, columns: options.columns, rows: options.rows }).node); hasTable = true; }
    buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(Boolean(i) === toTable)));
    if (!toTable && !view) draw();
  }
  const buttons = ["picture.chart", "picture.table"].map((key, i) => h("button", { type: "button", "aria-pressed": String(i === 0), onclick: () => turn(Boolean(i)) }, t(key)));
  const csv = () => downloadCsv(options.name, options.columns.flatMap((c) => c.csv.heads()), options.rows.map((row) => options.columns.flatMap((c) => c.csv.cells(row))));
  const saved = async () => { if (!view) await draw(); download(options.name + ".svg", "image/svg+xml", await view.toSVG()); };
  const node = h("figure", { class: "picture card" },
    h("figcaption", {}, h("div", { class: "words" }, h("h3", {}, title), note ? h("p", {}, note) : null),
      h("div", { class: "acts" }, h("span", { class: "seg", role: "group", "aria-label": t("picture.view") }, buttons),
        h("button", { type: "button", class: "quiet", onclick: csv }, "CSV", h("span", { class: "unseen" }, " " + title)),
        h("button", { type: "button", class: "quiet", onclick: saved }, "SVG", h("span", { class: "unseen" }, " " + title)))),
    host, behind);
  const self = {
    host, node,
    async look() { if (!asked) await draw(); },
    resized() { if (view && host.clientWidth && Math.abs(host.clientWidth - width) > 8) draw(); },
    async again() { if (asked) { asked = false; await draw(); } },
    gone() { seen.unobserve(host); if (view) view.finalize(); },
  };
  pictures.push(self);
  seen.observe(host);
  return node;
}

/** The columns of the table behind a picture, by the kinds that the page was told. */
function viewColumns(name) {
  const table = data.views[name];
  return boot.views[name].map(([key, label, kind]) => {
    const [what, of] = kind.split(":");
    const raw = (row) => table.get(key, row);
    if (what === "id") return { key, long: true, label: () => t(label), value: (row) => nameOf(of, raw(row)), node: (row) => idNode(of, raw(row)), csv: { heads: () => [t("csv.id"), t(label)], cells: (row) => [raw(row), nameOf(of, raw(row))] } };
    const text = (row) => {
      const value = raw(row);
      if (what === "codes") return codeLabel(of, value);
      if (what === "noun") return nameOf(of, value);
      if (what === "words") return t(of + "." + value);
      if (what === "here") return value ? t("here.run") : "–";
      if (what === "flag") return t(value ? "problem.grave" : "problem.minor");
      if (value === null || value === "") return what === "text" ? t("not_stated") : "–";
      if (what === "count") return format.count(value);
      if (what === "share") return format.share(value);
      if (what === "number") return format.number(value);
      return what === "score" ? format.score(value) : String(value);
    };
    const number = ["count", "share", "score", "number"].includes(what);
    return {
      key, number, label: () => t(label), value: number ? raw : text, node: text,
      csv: { heads: () => [t(label)], cells: (row) => [number ? raw(row) : text(row)] },
    };
  });
}

/** A picture of the run by name, or null where there is nothing to show. */
function chart(name, options) {
  if (!data.charts.zh[name]) return null;
  return picture(Object.assign({ name, spec: () => specOf(name), columns: viewColumns(name), rows: data.views[name].rows() }, options || {}));
}
