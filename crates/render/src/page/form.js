// The fields and menus of a question, as many as a model has.

import { element } from "./draw.js";
import { isTowers, labels } from "./question.js";

/** What a model reads: fields for texts, and a chooser for a picture. `pick` gets the picture that is chosen. */
export function inputs(question, model, picture, { ask, pick }) {
  if (model.reads === "pictures") return [chooser(picture, pick)];
  if (isTowers(model)) return [chooser(picture, pick), field("text", "Texts, one on each line", ask, true)];
  const second = field("pair", "Second text", ask);
  if (model.outputs === "vector") return [field("text", "First text", ask), second];
  if (model.outputs === "vocabulary") return [field("text", "Prompt", ask)];
  const open = question.pair !== "";
  return [field("text", "Text", ask), element("details", { class: "second", open }, element("summary", {}, "A second text beside it"), second)];
}

/** A field for a text, or for several, each on a line of its own. */
function field(name, title, ask, lines = false) {
  const onkeydown = (event) => {
    // Where each line is a text, Enter begins the next.
    const asks = lines ? event.ctrlKey || event.metaKey : !event.shiftKey;
    if (event.key !== "Enter" || !asks || event.isComposing) return;
    event.preventDefault();
    ask();
  };
  const area = element("textarea", { name, rows: lines ? 3 : 2, dir: "auto", lang: "", spellcheck: "false", onkeydown });
  return element("label", { class: "text" }, element("span", {}, title), area);
}

/** A chooser for a picture, which names the one that was chosen. */
function chooser(picture, pick) {
  const file = element("input", { type: "file", accept: "image/*", onchange: () => pick(file.files[0]) });
  if (picture) {
    const chosen = new DataTransfer();
    chosen.items.add(picture);
    file.files = chosen.files;
  }
  return element("label", { class: "text" }, element("span", {}, "Picture"), file);
}

/** The menus. `known` is what can be asked of all models, and `chosen` is called with the name of a menu that changed. */
export function menus(question, model, { models, rules, methods, defaults }, chosen) {
  const [vector, towers] = [model.outputs === "vector", isTowers(model)];
  const menu = (key, name, groups, value = question[key]) => choice(key, name, groups, value, chosen);
  const entry = (name, title, attributes) =>
    element("label", {}, element("span", {}, title), element("input", { name, autocomplete: "off", lang: "", ...attributes, onchange: () => chosen(name) }));
  const some = (options) => options.map((value) => [value, value]);
  const ways = [
    ["Rules of propagation", rules.map((name) => [`rules:${name}`, name])],
    ["Other methods", methods.filter((name) => name !== "lrp").map((name) => [`method:${name}`, name])],
  ];
  const others = models.filter((other) => other !== model).map((other) => [`model:${other.name}`, other.name]);
  const named = some(labels(question, model));
  const all = [];
  if (models.length > 1) all.push(menu("model", "Model", [["", some(models.map(({ name }) => name))]], model.name));
  all.push(menu("way", "Explained by", vector || towers ? ways.slice(0, 1) : ways, question.way || `rules:${defaults.rules}`));
  if (!vector && !towers) all.push(menu("beside", "Beside it", [["", [["", "nothing"]]], ["Other models", others], ...ways]));
  if (model.outputs === "labels" || towers) {
    all.push(menu("target", "Why", [["", [["", "what is predicted"], ...named]]]));
    if (named.length > 1) all.push(menu("against", "rather than", [["", [["", "anything"], ...named]]]));
  }
  if (towers) all.push(menu("pairs", "Patches and words", [["", [["", "by themselves"], ["yes", "in pairs as well"]]]]));
  if (model.outputs === "vocabulary") {
    all.push(entry("target", "Why the token", { placeholder: "that is predicted" }));
    all.push(entry("generate", "New tokens", { type: "number", min: 0, max: 128, placeholder: "0" }));
  }
  const sites = [...new Set([defaults.at, ...signals(model)])];
  all.push(menu("at", "Read at", [["", some(sites)]], question.at || defaults.at));
  return all;
}

function choice(name, title, groups, value, chosen) {
  const option = ([key, text]) => element("option", { value: key, selected: key === value }, text);
  const shown = groups.filter(([, options]) => options.length > 0);
  const options = shown.map(([label, all]) => (label ? element("optgroup", { label }, all.map(option)) : all.map(option)));
  return element("label", {}, element("span", {}, title), element("select", { name, onchange: () => chosen(name) }, options));
}

/** The sites at which relevance can be read: of two towers, those that both have. */
function signals(model) {
  const of = ({ sites }) => sites.filter((site) => !site.operation).map((site) => site.name);
  if (!isTowers(model)) return of(model);
  const others = of(model.towers.text);
  return of(model.towers.picture).filter((name) => others.includes(name));
}

/** What a model is, in a line. */
export function about(model) {
  const stacks = isTowers(model) ? [model.towers.picture, model.towers.text] : [model];
  const blocks = stacks.map((stack) => stack.blocks).join(" + ");
  const few = model.labels.length > 0 && model.labels.length < 8;
  return [model.name, model.family, `${blocks} blocks`, few && model.labels.join(", ")].filter(Boolean).join(" · ");
}
