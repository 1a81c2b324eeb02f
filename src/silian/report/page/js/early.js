// Before the first paint: the theme and the language that the reader chose last, else the system's theme and Chinese.
(() => {
  const read = (key) => { try { return localStorage.getItem("silian." + key); } catch { return null; } };
  const dark = window.matchMedia && matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = read("theme") || (dark ? "dark" : "light");
})();
