// A picture as PNG: the SVG file of the same picture, drawn on a canvas. Without this file SVG and CSV remain.
const SHARP = 2;
const told = (url) => fetch(url, { credentials: "same-origin" }).then((answer) => (answer.ok ? answer.text() : Promise.reject(answer.status)));

async function save(button) {
  const link = button.parentElement.querySelector("a[href*='.svg']");
  const text = await told(link.href);
  const image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * SHARP;
  canvas.height = image.naturalHeight * SHARP;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => {
    const saved = document.createElement("a");
    saved.href = URL.createObjectURL(blob);
    saved.download = button.dataset.png + ".png";
    saved.click();
    setTimeout(() => URL.revokeObjectURL(saved.href), 1000);
  });
}

for (const button of document.querySelectorAll("[data-png]")) {
  button.hidden = false;
  button.addEventListener("click", () => save(button));
}
