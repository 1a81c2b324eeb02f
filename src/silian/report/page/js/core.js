"use strict";
// Words, numbers, elements: what every part of the page uses.

const boot = JSON.parse(document.getElementById("boot").textContent);

const memory = {
  read(key) { try { return localStorage.getItem("silian." + key); } catch { return null; } },
  keep(key, value) { try { localStorage.setItem("silian." + key, value); } catch { /* private window: forgotten */ } },
};

const state = { language: memory.read("language") === "en" ? "en" : "zh" };

const at = () => (state.language === "en" ? 1 : 0);
const pick = (pair) => pair[at()] || pair[0];

/** One text of the page; {name} is filled in, counts get separators. */
function t(key, values) {
  const text = pick(boot.words[key] || [key, key]);
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return typeof value === "number" ? format.count(value) : value === undefined ? whole : String(value);
  }) : text;
}

const codeLabel = (list, code) => {
  if (code === null || code === "") return t("not_stated");
  const labels = (boot.codes[list] || {})[code];
  return labels ? pick(labels) : String(code);
};

const whole = new Intl.NumberFormat("en-US");
const format = {
  count: (v) => whole.format(v),
  number: (v) => v.toLocaleString("en-US", { maximumFractionDigits: 2 }),
  score: (v) => (v > 0 && v < 0.005 ? "<0.01" : v.toFixed(2)),
  percent: (v) => (v > 0 && v < 0.005 ? "<1%" : v < 1 && v > 0.995 ? ">99%" : Math.round(v * 100) + "%"),
  share: (v) => (v * 100).toFixed(v === 0 || v === 1 ? 0 : 1) + "%",
  small: (v) => (v > 0 && v < 0.0005 ? "<0.1%" : (v * 100).toFixed(1) + "%"),
  money(v) {
    if (state.language === "en") return "CNY " + whole.format(v);
    if (v >= 1e8) return format.number(v / 1e8) + " 亿元";
    return v >= 1e4 ? format.number(v / 1e4) + " 万元" : whole.format(v) + " 元";
  },
};

/** An element: attributes by name, on* are listeners, texts are always texts. */
const h = (tag, attributes, ...children) => dressed(document.createElement(tag), attributes, children);

/** An element of a small drawing. */
const svg = (tag, attributes, ...children) => dressed(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function dressed(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(3).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

const fill = (node, ...children) => { node.replaceChildren(...children.flat(3).filter(Boolean)); return node; };
const announce = (text) => { document.getElementById("say").textContent = text; };
const part = (name) => document.querySelector('[data-part="' + name + '"]');

/** A file for the reader: nothing is sent anywhere. */
function download(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** One value of a CSV: a text that a spreadsheet would take for a formula gets an apostrophe. */
function csvValue(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  let text = String(value);
  if (/^[\s\u0000]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20|%]/.test(text) || /^[\t\r\n]/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
}

function downloadCsv(name, heads, rows) {
  const lines = [heads, ...rows].map((row) => row.map(csvValue).join(","));
  download(name + ".csv", "text/csv;charset=utf-8", "\uFEFF" + lines.join("\r\n") + "\r\n");
}

const CHUNK = 60;

/** A long list, filled as the reader scrolls. */
function longList(box, rows, item) {
  const items = h("ul");
  let done = 0;
  const more = () => { items.append(...rows.slice(done, done + CHUNK).map(item)); done += CHUNK; };
  more();
  box.onscroll = () => { if (done < rows.length && box.scrollTop + box.clientHeight > box.scrollHeight - 600) more(); };
  fill(box, rows.length ? items : h("p", { class: "empty" }, t("matches.none")));
  box.scrollTop = 0;
}

/** Say that something is missing, and how to add it. */
const empty = (key) => h("div", { class: "empty" }, h("strong", {}, t("empty." + key)), h("span", {}, t("empty." + key + ".how")));
