// Copy a link. Without this file it is selected and copied by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => { await navigator.clipboard.writeText(field.value); button.textContent = button.dataset.done; });
  field.addEventListener("focus", () => field.select());
}
