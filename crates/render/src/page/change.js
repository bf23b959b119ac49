// What a change of the text did to the target, beside what the relevance of the word promised.

import { bars, element, largest, put, signs } from "./draw.js";
import { explain } from "./ask.js";
import { valuesRequest, without } from "./question.js";

/** The most words that are tried one by one. */
const WORDS = 120;

/**
 * The changes that led to this text, the last one first, and what each word alone would do.
 *
 * A change is `{word, other, promised, moved, before, after}`: the relevance that left the text, how far the target
 * moved, and the predictions. `promised` is in units of the target, or not known.
 */
class Changes extends HTMLElement {
  /** Shows the changes that led to this explanation. `undo` goes back by one. */
  show(asked, changes, undo) {
    const { explanation } = asked;
    const tried = element("div", { class: "tried" });
    const test = element(
      "button",
      { type: "button", class: "try", onclick: () => this.#tryAll(asked, tried, test) },
      "Try every word",
    );
    put(
      this,
      element("h2", {}, "Does the relevance hold?"),
      changes.length === 0
        ? element(
            "p",
            { class: "hint" },
            "Click a word to take it away or to put another in its place. Its relevance promises how far ",
            named(explanation),
            " moves; see how far it moves.",
          )
        : last(changes.at(-1), named(explanation)),
      changes.length > 1 && earlier(changes.slice(0, -1).reverse()),
      element(
        "div",
        { class: "buttons" },
        explanation.words.length > 1 && explanation.words.length <= WORDS && test,
        changes.length > 0 && element("button", { type: "button", class: "undo", onclick: undo }, "Undo"),
      ),
      tried,
    );
  }

  /** Takes every word away, each from the whole text, and shows promise and move side by side. */
  async #tryAll({ explanation, question, model }, tried, test) {
    test.disabled = true;
    test.textContent = "Trying…";
    const words = explanation.words;
    try {
      const texts = words.map((word) => without(explanation.text, [word]));
      const { explanations } = await explain(valuesRequest(question, model, texts));
      const rows = words.map((word, at) => ({
        word: word.text,
        other: "",
        promised: promise(explanation, word.relevance),
        moved: explanations[at].target.value - explanation.target.value,
      }));
      test.remove();
      tried.replaceChildren(verdict(rows), list(rows, "Every word taken away alone"));
    } catch (error) {
      test.disabled = false;
      test.textContent = "Try every word";
      tried.replaceChildren(element("p", { class: "error", role: "alert" }, error.message));
    }
  }
}

/** How far the target moves if so much relevance leaves: in its units, or not known. */
export const promise = (explanation, relevance) => (explanation.rules === "" ? undefined : -relevance);

/** What is explained, by name. */
const named = (explanation) => element("b", { lang: "" }, explanation.target.label);

const legend = () =>
  element("p", { class: "key" }, element("i", { class: "promised" }), "promised ", element("i", { class: "moved" }), "moved");

/** The last change, large. */
function last(change, target) {
  const most = largest([change.promised ?? 0, change.moved]);
  const write = signs(most);
  const facts = [
    ["promised", change.promised],
    ["moved", change.moved],
  ].filter(([, value]) => value !== undefined);
  return element(
    "div",
    { class: "last", role: "status" },
    element("p", {}, said(change), " moves ", target, " by ", element("strong", { class: "number" }, write(change.moved)), "."),
    element(
      "div",
      { class: "steps" },
      facts.map(([of, value]) =>
        element(
          "div",
          { class: "row" },
          element("span", {}, of === "promised" ? "Its relevance promised" : "The target moved"),
          element("span", { class: "number" }, write(value)),
          bars([{ value, of }], most),
        ),
      ),
    ),
    change.promised === undefined &&
      element("p", { class: "hint" }, "This method's numbers are in a unit of its own, so they promise no distance."),
    element(
      "p",
      { class: "predictions" },
      "Prediction: ",
      element("span", { lang: "" }, change.before),
      " → ",
      element("strong", { lang: "" }, change.after),
    ),
  );
}

/** What was done, as the start of a sentence. */
function said({ word, other }) {
  const quoted = (text) => element("b", { lang: "", dir: "auto" }, text);
  return other ? ["Putting ", quoted(other), " in the place of ", quoted(word)] : ["Taking ", quoted(word), " away"];
}

const earlier = (changes) =>
  element("details", {}, element("summary", {}, `Earlier changes: ${changes.length}`), list(changes, "Earlier changes"));

/** Changes one below the other, on one scale. */
function list(changes, name) {
  const most = largest(changes.flatMap(({ promised, moved }) => [promised ?? 0, moved]));
  const write = signs(most);
  const known = changes.some(({ promised }) => promised !== undefined);
  const head = (text, number) => element("th", { scope: "col", class: number && "number" }, text);
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "group", "aria-label": name },
    known && legend(),
    element(
      "table",
      { class: "promises" },
      element("thead", {}, element("tr", {}, head("word"), known && head("promised", true), head("moved", true), element("td"))),
      element(
        "tbody",
        {},
        changes.map(({ word, other, promised, moved }) =>
          element(
            "tr",
            {},
            element("th", { scope: "row", lang: "", dir: "auto" }, other ? `${word} → ${other}` : word),
            known && element("td", { class: "number" }, promised === undefined ? "–" : write(promised)),
            element("td", { class: "number" }, write(moved)),
            element(
              "td",
              { class: "drawn" },
              bars([...(promised === undefined ? [] : [{ value: promised, of: "promised" }]), { value: moved, of: "moved" }], most),
            ),
          ),
        ),
      ),
    ),
  );
}

/** How well promises were kept, in a sentence. */
function verdict(rows) {
  const told = rows.filter(({ promised }) => promised !== undefined);
  if (told.length === 0) return element("p", { class: "hint" }, "How far the target moves without each word.");
  const same = told.filter(({ promised, moved }) => Math.sign(promised) === Math.sign(moved)).length;
  const correlation = pearson(told.map((row) => row.promised), told.map((row) => row.moved));
  return element(
    "p",
    {},
    `${same} of ${told.length} words move the target the way that their relevance promised`,
    Number.isFinite(correlation) && `; over all words the correlation is ${correlation.toFixed(2).replace("-", "−")}`,
    ".",
  );
}

function pearson(xs, ys) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(xs), mean(ys)];
  const sum = (f) => xs.reduce((total, _, at) => total + f(xs[at] - x, ys[at] - y), 0);
  return sum((a, b) => a * b) / Math.sqrt(sum((a) => a * a) * sum((_, b) => b * b));
}

customElements.define("relprop-changes", Changes);
