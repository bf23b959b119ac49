// Files to keep: the JSON that the program writes, and drawings and reports from the same writers.

/** How many pixels of a file a pixel of the drawing takes. */
const SCALE = 3;

function keep(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** An object for one explanation, an array for several, as the program writes it. */
export function saveJson(found) {
  const written = `${JSON.stringify(found.length === 1 ? found[0] : found, null, 2)}\n`;
  keep("relprop.json", new Blob([written], { type: "application/json" }));
}

export const saveSvg = (drawing) => keep("relprop.svg", new Blob([drawing], { type: "image/svg+xml" }));

export const saveHtml = (page) => keep("relprop.html", new Blob([page], { type: "text/html" }));

/** The drawing in pixels, on white. */
export async function savePng(drawing) {
  const address = URL.createObjectURL(new Blob([drawing], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = SCALE * image.naturalWidth;
    canvas.height = SCALE * image.naturalHeight;
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    keep("relprop.png", blob);
  } finally {
    URL.revokeObjectURL(address);
  }
}
