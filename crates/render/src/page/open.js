// Models of one's own on a page without a server: folders that are chosen or dropped.

import { open } from "./ask.js";
import { element } from "./draw.js";

/** What a model may be read from. */
const READ = /\.(json|txt|jinja|model|spm|safetensors|bin|gguf)$/;
/** The same model for other programs. */
const PASSED_OVER = /^(onnx|openvino|coreml|tf_model|flax_model|rust_model|training_args)|^\./;

/** The files of a directory that was dropped, with their paths. */
async function below(entry, path = entry.name) {
  if (entry.isFile) return [{ path, file: await new Promise((done, fail) => entry.file(done, fail)) }];
  const reader = entry.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0) break;
    for (const one of some) if (!PASSED_OVER.test(one.name)) all.push(...(await below(one, `${path}/${one.name}`)));
  }
  return all;
}

/** What was dropped: files with their paths. */
async function dropped(items) {
  // The list is empty as soon as anything is waited for.
  const taken = [...items].filter(({ kind }) => kind === "file").map((item) => [item.webkitGetAsEntry(), item.getAsFile()]);
  const found = await Promise.all(taken.map(([entry, file]) => (entry ? below(entry) : [{ path: file.name, file }])));
  return found.flat();
}

/** Files as models: a folder is a model, and so are files without a folder together. */
function models(files) {
  const all = new Map();
  for (const { path, file } of files) {
    const parts = path.split("/");
    const folder = parts.length > 1 ? parts.shift() : "model";
    if (!READ.test(file.name) || parts.some((part) => PASSED_OVER.test(part))) continue;
    if (!all.has(folder)) all.set(folder, []);
    all.get(folder).push({ name: parts.join("/"), file });
  }
  for (const [folder, found] of all) {
    const has = (end) => found.some(({ name }) => name.endsWith(end));
    if (has(".safetensors")) all.set(folder, found.filter(({ name }) => !name.endsWith(".bin")));
  }
  return [...all].map(([name, found]) => ({ name, files: found }));
}

class Open extends HTMLElement {
  #state = element("span", { class: "state", role: "status" });
  #error = element("p", { class: "error", role: "alert", hidden: true });

  async connectedCallback() {
    const folder = element("input", {
      type: "file",
      webkitdirectory: true,
      onchange: () => this.#open([...folder.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }))),
    });
    const parts = [
      element("label", {}, element("span", {}, "A model of your own: choose its folder, or drop it anywhere on this page"), folder),
      element("p", { class: "hint" }, "It is read and explained on this machine. Nothing is sent anywhere."),
      this.#state,
      this.#error,
    ];
    this.replaceChildren(element("section", { "aria-label": "The model" }, ...parts));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", async (event) => {
      event.preventDefault();
      this.#open(await dropped(event.dataTransfer.items));
    });
    await this.#show(() => open());
  }

  async #open(files) {
    const all = models(files);
    if (all.length === 0) return this.#fail("There is no model among these files: a folder has a config.json, a tokenizer.json and a model.safetensors.");
    await this.#show(async () => {
      await open(all);
      // The text stays; the rest of the question was about another model.
      const text = new URLSearchParams(location.hash.slice(1)).get("text") ?? "";
      history.replaceState(null, "", `#${new URLSearchParams({ text })}`);
      document.querySelector("relprop-page").replaceWith(document.createElement("relprop-page"));
    });
  }

  async #show(work) {
    this.#fail("");
    this.#state.textContent = "Reading the model…";
    try {
      await work();
    } catch (error) {
      this.#fail(error.message);
    }
    this.#state.textContent = "";
  }

  #fail(message) {
    this.#error.textContent = message;
    this.#error.hidden = message === "";
  }
}

customElements.define("relprop-open", Open);
