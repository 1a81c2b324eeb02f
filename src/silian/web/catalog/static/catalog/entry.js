// Forms of the registry: what is typed is kept on the server, records are picked from a list. The form works without.
const form = document.querySelector("form.entry");
const saved = form.querySelector(".saved");
const WAIT = 3000; // ms after the last change
let timer = 0, isDirty = false, isSent = false;

async function keep() {
  clearTimeout(timer);
  if (!isDirty || isSent) return;
  isDirty = false;
  try {
    const answer = await fetch(form.dataset.keep, { method: "POST", body: new FormData(form), keepalive: true, redirect: "error" });
    if (!answer.ok) throw new Error(answer.statusText);
    const time = new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });
    saved.textContent = `${form.dataset.kept} ${time}`;
  } catch {
    isDirty = true;
    saved.textContent = form.dataset.lost;
  }
}
form.addEventListener("input", () => { isDirty = true; clearTimeout(timer); timer = setTimeout(keep, WAIT); });
form.addEventListener("submit", (event) => {
  if (isSent) { event.preventDefault(); return; }
  isSent = true;
});
addEventListener("pageshow", () => { isSent = false; }); // the back button brings the page back as it was
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") keep(); });

// ── picking a record ──
function options(input) { return [...listOf(input).querySelectorAll("[role=option]")]; }
function listOf(input) { return document.getElementById(input.getAttribute("aria-controls")); }
function open(input, isOpen) {
  listOf(input).hidden = !isOpen;
  if (input.role) input.setAttribute("aria-expanded", String(isOpen));
  if (!isOpen) input.removeAttribute("aria-activedescendant");
}
function point(input, chosen) {
  for (const one of options(input)) one.setAttribute("aria-selected", String(one === chosen));
  chosen.id = `${listOf(input).id}-chosen-${options(input).indexOf(chosen)}`;
  if (input.role) input.setAttribute("aria-activedescendant", chosen.id);
  chosen.scrollIntoView({ block: "nearest" });
}
function take(input, option) {
  const lines = input.value.split("\n");
  lines[lines.length - 1] = option.dataset.value;
  input.value = lines.join("\n") + (input.tagName === "TEXTAREA" ? "\n" : "");
  open(input, false);
  form.dispatchEvent(new Event("input"));
}
for (const input of form.querySelectorAll(".picks")) {
  let isLeft = false; // by Escape: what was asked before and comes later opens nothing
  input.addEventListener("input", () => { isLeft = false; });
  listOf(input).addEventListener("htmx:afterSwap", () => open(input, !isLeft && document.activeElement === input && listOf(input).children.length > 0));
  listOf(input).addEventListener("mousedown", (event) => {
    event.preventDefault(); // the field keeps the focus
    const option = event.target.closest("[role=option]");
    if (option) take(input, option);
  });
  input.addEventListener("blur", () => open(input, false));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { isLeft = true; open(input, false); return; }
    const all = options(input), now = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    if (listOf(input).hidden || !all.length) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      point(input, all[(now + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Enter" && now >= 0) {
      event.preventDefault();
      take(input, all[now]);
    }
  });
}
form.querySelector(".summary")?.focus();
