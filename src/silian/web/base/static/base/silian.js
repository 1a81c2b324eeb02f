// Theme, menu. Everything works without this file; it saves taps.
const root = document.documentElement;
document.querySelector(".theme")?.addEventListener("click", () => {
  const dark = root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
});
const menu = document.querySelector(".menu");
const isOpen = () => menu?.getAttribute("aria-expanded") === "true";
menu?.addEventListener("click", () => menu.setAttribute("aria-expanded", String(!isOpen())));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !isOpen()) return;
  menu.setAttribute("aria-expanded", "false");
  menu.focus();
});
