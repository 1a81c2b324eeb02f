// The tables that the page carries, unpacked column by column when first asked for.

class Table {
  constructor(name, packed, schema) {
    this.name = name; this.n = packed.n; this.packed = packed.cols; this.extra = packed; this.schema = schema;
    this.ready = {}; this.places = {};
  }
  col(name) {
    if (!(name in this.ready)) {
      const c = this.packed[name];
      this.ready[name] = !c ? null : c.d ? c.v.map((i) => (i < 0 ? null : c.d[i])) : c.v;
    }
    return this.ready[name];
  }
  has(name) { return name in this.packed; }
  get(name, row) { const c = this.col(name); return c ? c[row] : null; }
  /** value → row, for a key */
  index(name) {
    if (!this.places[name]) this.places[name] = new Map(this.col(name).map((v, i) => [v, i]));
    return this.places[name];
  }
  /** value → rows, in order */
  groups(name) {
    const key = "*" + name;
    if (!this.places[key]) {
      const groups = new Map();
      this.col(name).forEach((v, i) => { const rows = groups.get(v); if (rows) rows.push(i); else groups.set(v, [i]); });
      this.places[key] = groups;
    }
    return this.places[key];
  }
  rows() { return Array.from({ length: this.n }, (_, i) => i); }
}

const data = { nouns: {}, results: {}, views: {} };
const KEYS = { needs: "need_id", achievements: "achievement_id", experts: "expert_id", organisations: "org_id", products: "product_id", districts: "district_id" };

async function unpack() {
  const text = atob(document.getElementById("payload").textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const body = JSON.parse(await new Response(stream).text());
  for (const kind of ["nouns", "results", "views"]) {
    for (const [name, packed] of Object.entries(body[kind])) data[kind][name] = new Table(name, packed, (boot.schema[kind] || {})[name]);
  }
  data.spots = Object.fromEntries(Object.entries(body.spots).map(([name, packed]) => [name, new Table(name, packed, null)]));
  Object.assign(data, { charts: body.charts, chains: body.chains, kept: body.kept, terms: body.terms });
  for (const name of ["achievement_pairs", "expert_pairs"]) {
    const table = data.results[name], starts = [0];
    for (const n of table.extra.why_n) starts.push(starts[starts.length - 1] + n);
    table.starts = starts;
  }
}

/** The name of a thing for people: its name or title in the reader's language, else its id. */
function nameOf(noun, id) {
  if (id === null || id === undefined || id === "") return t("not_stated");
  const table = data.nouns[noun], row = table && table.index(KEYS[noun]).get(id);
  if (row === undefined) return String(id);
  const english = at() && table.has("name_en") ? table.get("name_en", row) : null;
  return english || table.get(table.has("name") ? "name" : "title", row) || String(id);
}

const factOf = (noun, id, column) => {
  const table = data.nouns[noun], row = table.index(KEYS[noun]).get(id);
  return row === undefined ? null : table.get(column, row);
};

/** The id that stands for a body or a person that has several rows. */
const bodyOf = (id) => canonical("same", "org_id", id), personOf = (id) => canonical("same_people", "expert_id", id);
function canonical(name, key, id) {
  const table = data.results[name], row = table.index(key).get(id);
  return row === undefined ? id : table.get("canonical_id", row);
}

/** Bodies that ask for experts: id → rows of `served`, in the order of the needs. */
function asking() {
  if (!data.asking) {
    const { served } = data.results;
    data.asking = new Map();
    for (const row of served.rows()) {
      const body = bodyOf(factOf("needs", served.get("need_id", row), "org_id")) || "";
      if (data.asking.has(body)) data.asking.get(body).push(row); else data.asking.set(body, [row]);
    }
  }
  return data.asking;
}

/** Where more about a thing stands on this page. */
function linkOf(noun, id) {
  if (noun === "needs" && data.nouns.needs.index("need_id").has(id)) return "#matches/" + encodeURIComponent(id);
  if (noun === "experts" && data.results.loads.index("expert_id").has(personOf(id))) return "#serves=experts/" + encodeURIComponent(personOf(id));
  if (noun === "organisations" && asking().has(bodyOf(id))) return "#serves=organisations/" + encodeURIComponent(bodyOf(id));
  if (noun === "products" && data.results.gaps.index("product_id").has(id)) return "#chain/" + encodeURIComponent(id);
  return null;
}

/** The parts of the score of one pair, the largest first. */
function partsOf(pairs, row) {
  const { why_t: terms, why_p: parts } = pairs.extra, found = [];
  for (let i = pairs.starts[row]; i < pairs.starts[row + 1]; i++) {
    found.push({ kind: data.terms.kind[terms[i]], term: data.terms.term[terms[i]], part: parts[i] / boot.unit });
  }
  return found;
}

const partName = (p) => (p.kind === "meaning" ? t("part.meaning") : p.term || t("part.rest"));

/** The same letters whether full or half width, large or small; never another length. */
function fold(text) {
  let folded = "";
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const half = code >= 0xff01 && code <= 0xff5e ? String.fromCharCode(code - 0xfee0) : text[i];
    const low = half.toLowerCase();
    folded += low.length === 1 ? low : half;
  }
  return folded;
}

/** A text with its shared terms marked. */
function marked(text, terms) {
  if (!text) return [];
  const sought = [...new Set(terms.map(fold))].filter((w) => w.trim()).sort((a, b) => b.length - a.length);
  if (!sought.length) return [text];
  const quoted = (w) => w.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  // a Latin word is marked as a whole word only: "ai" is not in "paint"
  const pattern = new RegExp(sought.map((w) => (/^[a-z0-9]+$/.test(w) ? `(?<![a-z0-9])${w}(?![a-z0-9])` : quoted(w))).join("|"), "g");
  const folded = fold(text), nodes = [];
  let done = 0;
  for (const found of folded.matchAll(pattern)) {
    if (found.index > done) nodes.push(text.slice(done, found.index));
    done = found.index + found[0].length;
    nodes.push(h("mark", {}, text.slice(found.index, done)));
  }
  if (done < text.length) nodes.push(text.slice(done));
  return nodes;
}
