// The worker of a page without a server: relprop itself, compiled to WebAssembly.
//
// It answers `{ open }` with `{ count }`, and `{ path, body }` with `{ answer }`; what cannot be done, with `{ refused }`
// and a sentence; and with `{ fault }` if it cannot go on.

import init, { Models } from "./relprop.js";

const started = init({ module_or_path: new URL("relprop_bg.wasm", import.meta.url) });
let models;

/** The files of the model that came with the page, if one did. */
async function included() {
  const beside = (name) => new URL(`../model/${name}`, import.meta.url);
  const get = async (name) => {
    const response = await fetch(beside(name));
    if (!response.ok) throw new Error(`${name} is not beside the page: ${response.status}`);
    return response;
  };
  const { name, files } = await (await get("files.json")).json();
  if (files.length === 0) return [];
  return [{ name, files: await Promise.all(files.map(async (file) => ({ name: file, file: await get(encodeURIComponent(file)) }))) }];
}

async function open(asked) {
  const all = asked ?? (await included());
  await started;
  models = new Models();
  for (const { name, files } of all) {
    for (const { name: file, file: source } of files) models.add(name, file, new Uint8Array(await source.arrayBuffer()));
  }
  if (all.length > 0) models.open();
  return { count: all.length };
}

onmessage = async ({ data }) => {
  try {
    if ("open" in data) postMessage(await open(data.open));
    else postMessage({ answer: models.answer(data.path, data.body) });
  } catch (error) {
    // A panic is a text. What ends without a word, such as memory that is used up, is an error of WebAssembly.
    const fault = typeof error === "string" || error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
    const message = String(error?.message ?? error);
    if (fault && !("open" in data)) postMessage({ fault: message });
    else postMessage({ refused: message });
  }
};
