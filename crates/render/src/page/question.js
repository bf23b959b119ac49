// A question: as a part of the page's address, and as a request.
//
// For two towers `text` has a text on each line. `way` and `beside` are `rules:NAME` or `method:NAME`; `beside` can be `model:NAME` too. What is empty is left to
// the server.

const KEYS = ["text", "pair", "model", "way", "beside", "target", "against", "at", "generate", "pairs"];

/** The question that nothing was said about. */
export const EMPTY = Object.freeze(Object.fromEntries(KEYS.map((key) => [key, ""])));

/** What stands behind the `#` of a link that asks this. */
export function toAddress(question) {
  const said = KEYS.filter((key) => question[key]).map((key) => [key, question[key]]);
  return new URLSearchParams(said).toString();
}

export function fromAddress(address) {
  const said = new URLSearchParams(address.replace(/^#/, ""));
  return { ...EMPTY, ...Object.fromEntries(KEYS.map((key) => [key, said.get(key) ?? ""])) };
}

/** What this way of explaining is in a request. A rule set can give an account of the whole target. */
function asked(way) {
  const [kind, name] = [way.slice(0, way.indexOf(":")), way.slice(way.indexOf(":") + 1)];
  switch (kind) {
    case "rules":
      return { rules: name, ledger: true };
    case "method":
      return { method: name };
    case "model":
      return { model: name };
    default:
      return { ledger: true };
  }
}

/** Whether a model compares pictures with texts. */
export const isTowers = (model) => model.outputs === "texts";

/** What a target names: the labels of the model, or the texts that a picture is compared with. */
export function labels(question, model) {
  if (!isTowers(model)) return model.labels;
  const lines = question.text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "");
}

/** A label is asked for by its index, whatever it is called. A language model's target is written as it is. */
function output(name, all) {
  const index = all.indexOf(name);
  return index >= 0 ? index : name;
}

function target(question, model) {
  const all = labels(question, model);
  const said = {};
  if (question.target) said.target = output(question.target, all);
  if (question.against) said.against = output(question.against, all);
  return said;
}

/** What is asked of this model, but for the text and the way. */
function common(question, model) {
  const request = { model: model.name, ...target(question, model) };
  if (question.pair) request.pair = question.pair;
  return request;
}

/** `POST /api/explain` for two towers, but for the picture. */
function towersRequest(question, model) {
  const request = { model: model.name, ...target(question, model), ...asked(question.way), texts: labels(question, model), fragments: ["report"] };
  if (question.at) request.at = question.at;
  if (question.pairs) request.pairs = true;
  return request;
}

/** `POST /api/explain`. */
export function explainRequest(question, model) {
  if (isTowers(model)) return towersRequest(question, model);
  const request = { ...common(question, model), ...asked(question.way), text: question.text, fragments: ["report"] };
  if (question.at && !request.method) request.at = question.at;
  if (model.outputs === "vocabulary" && Number(question.generate) > 0) {
    request.generate = Number(question.generate);
    delete request.ledger;
    delete request.target;
    delete request.against;
  }
  return request;
}

/** `POST /api/compare`: the question, and beside it what it is compared with. */
export function compareRequest(question, model) {
  const { text, fragments, ...main } = explainRequest(question, model);
  const other = { ...main };
  const beside = asked(question.beside);
  if (beside.model) {
    // Labels of another model may stand in another order: it is asked by name.
    Object.assign(other, beside, question.target && { target: question.target });
    if (question.against) other.against = question.against;
  } else {
    for (const key of ["rules", "method", "ledger"]) delete other[key];
    Object.assign(other, beside);
    if (other.method) delete other.at;
  }
  return { text, fragments, sides: [main, other] };
}

/** The value of the target alone, for several texts: by the fastest way, whatever the question's is. */
export function valuesRequest(question, model, texts) {
  return { ...common(question, model), texts };
}

/** `POST /api/similar`. */
export function similarRequest(question, model) {
  const request = { model: model.name, texts: [question.text, question.pair], fragments: ["report"] };
  if (question.way.startsWith("rules:")) request.rules = question.way.slice("rules:".length);
  if (question.at) request.at = question.at;
  return request;
}

/** A text without some of its words; one of the two spaces around a word goes with it. */
export function without(text, words) {
  const letters = [...text];
  const gone = new Set();
  const space = (at) => at < 0 || at >= letters.length || gone.has(at) || /\s/u.test(letters[at]);
  for (const { start, end } of words) {
    for (let at = start; at < end; at += 1) gone.add(at);
    let [before, after] = [start - 1, end];
    while (gone.has(before)) before -= 1;
    while (gone.has(after)) after += 1;
    if (space(before) && space(after)) gone.add(before >= 0 ? before : after);
  }
  return letters.filter((_, at) => !gone.has(at)).join("");
}

/** A text with another word in the place of one. */
export function replaced(text, { start, end }, word) {
  const letters = [...text];
  return [...letters.slice(0, start), word, ...letters.slice(end)].join("");
}
