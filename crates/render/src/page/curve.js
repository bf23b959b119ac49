// Words are removed one after another, by their relevance, and the target is drawn as it moves.
//
// It is the perturbation of Ali et al. (2022), on one text: if relevance is faithful, the target falls fast where the
// most relevant words go first, and late where they go last. `relprop evaluate` measures it on many texts.

import { drawn, element, largest, put, signs } from "./draw.js";
import { explain } from "./ask.js";
import { valuesRequest, without } from "./question.js";

/** The most steps of a curve; on a longer text a step removes several words. */
const STEPS = 24;
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 280, 64, 16, 16, 56];

const ORDERS = [
  { name: "the most relevant first", of: "falling", sort: (a, b) => b.relevance - a.relevance },
  { name: "the least relevant first", of: "rising", sort: (a, b) => a.relevance - b.relevance },
];

class Curve extends HTMLElement {
  #stop = new AbortController();

  /** Offers the curve of this explanation. */
  show(asked) {
    this.#stop.abort();
    const words = asked.explanation.words.length;
    if (words < 3) return this.replaceChildren();
    const start = element("button", { type: "button", class: "start", onclick: () => this.#run(asked) }, "Remove words one after another");
    this.replaceChildren(element("h2", {}, "How fast does it fall?"), start);
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  async #run({ explanation, question, model }) {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const words = explanation.words.length;
    const size = Math.ceil((words - 1) / STEPS);
    const orders = ORDERS.map((order) => ({ ...order, words: [...explanation.words].sort(order.sort) }));
    const curves = orders.map(() => [[0, explanation.target.value]]);
    const figure = element("figure", { class: "curve" });
    const told = element("p", { class: "told", role: "status" });
    const stop = element("button", { type: "button", onclick: () => this.#stop.abort() }, "Stop");
    this.replaceChildren(element("h2", {}, "How fast does it fall?"), figure, told, stop);
    const draw = () => put(figure, plot(curves, words, explanation.target.label));
    draw();
    try {
      for (let gone = size; gone < words; gone += size) {
        const texts = orders.map((order) => without(explanation.text, order.words.slice(0, gone)));
        const { explanations } = await explain(valuesRequest(question, model, texts), signal);
        explanations.forEach((found, at) => curves[at].push([gone, found.target.value]));
        const names = orders[0].words.slice(gone - size, gone).map((word) => word.text);
        told.replaceChildren(`${gone} of ${words} words removed; the last of the most relevant: `, element("b", { lang: "" }, names.join(" ")));
        draw();
      }
      told.replaceChildren(summary(curves));
    } catch (error) {
      if (!signal.aborted) told.replaceChildren(error.message);
    }
    stop.remove();
  }
}

const mean = (curve) => curve.reduce((sum, [, value]) => sum + value, 0) / curve.length;

function summary(curves) {
  const means = curves.map(mean);
  const write = signs(largest(means));
  const kept = means[0] < means[1];
  return (
    `On the way the target is ${write(means[0])} in the mean where the most relevant words go first, and ` +
    `${write(means[1])} where they go last: the relevance ${kept ? "points" : "does not point"} at what carries it. ` +
    `The area between is ${write(means[1] - means[0])}.`
  );
}

/** The curves so far, on axes of the whole way. */
function plot(curves, words, label) {
  const values = curves.flat().map(([, value]) => value);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const span = high - low || 1;
  const x = (gone) => LEFT + ((WIDTH - LEFT - RIGHT) * gone) / Math.max(1, words - 1);
  const y = (value) => TOP + ((HEIGHT - TOP - BOTTOM) * (high - value)) / span;
  const write = signs(largest([low, high]));
  const at = (left, top, text, anchor = "end") => drawn("text", { x: left, y: top, "text-anchor": anchor }, text);
  const ticks = [...new Set([low, 0, high])];
  const wordTicks = [...new Set([0, Math.round((words - 1) / 2), words - 1])];
  return [
    drawn(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `The target, ${label}, as words are removed` },
      ticks.map((value) => [
        drawn("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
        at(LEFT - 8, y(value) + 5, write(value)),
      ]),
      wordTicks.map((gone) => at(x(gone), HEIGHT - BOTTOM + 22, String(gone), "middle")),
      at((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "words removed", "middle"),
      curves.map((curve, order) => [
        drawn("polyline", { class: ORDERS[order].of, points: curve.map(([gone, value]) => `${x(gone)},${y(value)}`).join(" ") }),
        curve.map(([gone, value]) => dot(order, x(gone), y(value), `${gone} words removed, ${ORDERS[order].name}: ${write(value)}`)),
      ]),
    ),
    element(
      "figcaption",
      { class: "key" },
      ORDERS.map(({ name, of }) => [element("i", { class: of }), name, " "]),
    ),
  ];
}

/** Round for one order, square for the other: not by color alone. */
function dot(order, x, y, name) {
  const title = drawn("title", {}, name);
  return order === 0
    ? drawn("circle", { class: ORDERS[order].of, cx: x, cy: y, r: 3.5 }, title)
    : drawn("rect", { class: ORDERS[order].of, x: x - 3, y: y - 3, width: 6, height: 6 }, title);
}

customElements.define("relprop-curve", Curve);
