// Names under the search box while typing: arrows choose, Enter opens, Escape closes. Without this file the box searches.
const box = document.getElementById("find");
const names = document.getElementById("find-names");
if (box && names) {
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", "find-names");
  const show = (is) => {
    names.hidden = !is;
    box.setAttribute("aria-expanded", String(is));
    if (!is) box.removeAttribute("aria-activedescendant");
  };
  const chosen = () => names.querySelector('[aria-selected="true"]');
  const choose = (item) => {
    chosen()?.setAttribute("aria-selected", "false");
    item?.setAttribute("aria-selected", "true");
    item?.scrollIntoView({ block: "nearest" });
    if (item) box.setAttribute("aria-activedescendant", item.id);
    else box.removeAttribute("aria-activedescendant");
  };
  let isLeft = false; // by Escape: what was asked before and comes later opens nothing
  show(false);
  box.addEventListener("input", () => { isLeft = false; });
  names.addEventListener("htmx:afterSwap", () => show(!isLeft && names.children.length > 0 && document.activeElement === box));
  box.addEventListener("blur", () => setTimeout(() => show(false), 150));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { isLeft = true; if (!names.hidden) { event.preventDefault(); show(false); } return; }
    if (names.hidden || event.isComposing) return;
    const items = [...names.children], at = items.indexOf(chosen());
    if (event.key === "ArrowDown") { event.preventDefault(); choose(items[(at + 1) % items.length]); }
    if (event.key === "ArrowUp") { event.preventDefault(); choose(at < 0 ? items.at(-1) : items[at - 1]); }
    if (event.key === "Enter" && at >= 0) { event.preventDefault(); location.assign(items[at].dataset.address); }
  });
  names.addEventListener("mousedown", (event) => {
    const item = event.target.closest("[data-address]");
    if (item) { event.preventDefault(); location.assign(item.dataset.address); }
  });
}
