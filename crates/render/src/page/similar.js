// Two texts, and lines between the words that make them alike, or less alike.

import { drawn, element, largest, shade, signs } from "./draw.js";

/** Lines thinner than this share of the strongest are left out, unless their word is chosen. */
const WEAK = 0.12;

class Pairs extends HTMLElement {
  #found;
  #words = [[], []];
  #lines = drawn("svg", { class: "lines", "aria-hidden": "true" });
  #chosen;
  #resized = new ResizeObserver(() => this.#draw());

  /** Shows a similarity, with a line for each strong pair of words. */
  show(found) {
    this.#found = found;
    this.#words = found.texts.map((text, side) =>
      text.words.map((word, at) =>
        element(
          "span",
          {
            class: "w for s0",
            role: "button",
            tabindex: 0,
            onpointerenter: () => this.#choose({ side, at }),
            onpointerleave: () => this.#choose(),
            onfocus: () => this.#choose({ side, at }),
            onblur: () => this.#choose(),
          },
          word.text,
        ),
      ),
    );
    const told = element("p", { class: "told", role: "status" });
    const cosine = found.cosine.toFixed(3).replace("-", "−");
    this.replaceChildren(
      element("h2", {}, "Which words make them alike"),
      element("p", { class: "hint" }, `The cosine is ${cosine}. Blue lines join words that make the texts more alike, red ones less. Point at a word for its lines alone.`),
      element(
        "div",
        { class: "pairs" },
        this.#lines,
        this.#words.map((words, side) =>
          element("p", { class: "map", lang: "", dir: "auto", role: "group", "aria-label": `Text ${side + 1}` }, words.flatMap((word) => [word, " "])),
        ),
      ),
      told,
    );
    this.#resized.observe(this.querySelector(".pairs"));
    this.#draw();
  }

  disconnectedCallback() {
    this.#resized.disconnect();
  }

  #choose(chosen) {
    this.#chosen = chosen;
    this.#draw();
  }

  /** What a pair is multiplied by to be in units of the measure. */
  get #unit() {
    const { measure, account, cosine, dot } = this.#found;
    return account.product === 0 ? 1 : (measure === "dot" ? dot : cosine) / account.product;
  }

  #pair = (first, second) => this.#found.word_interaction[first]?.[second] ?? 0;

  #draw() {
    const frame = this.querySelector(".pairs");
    if (!frame) return;
    const [rows, columns] = this.#words;
    const most = largest(this.#found.word_interaction.flat());
    const box = frame.getBoundingClientRect();
    const chosen = this.#chosen;
    const lines = [];
    rows.forEach((row, first) =>
      columns.forEach((column, second) => {
        const value = this.#pair(first, second);
        const share = most > 0 ? Math.abs(value) / most : 0;
        const own = !chosen || [first, second][chosen.side] === chosen.at;
        if (!own || share < (chosen ? 0.02 : WEAK)) return;
        const [from, to] = [row.getBoundingClientRect(), column.getBoundingClientRect()];
        lines.push(
          drawn("line", {
            class: value < 0 ? "against" : "for",
            x1: from.left + from.width / 2 - box.left,
            y1: from.bottom - box.top,
            x2: to.left + to.width / 2 - box.left,
            y2: to.top - box.top,
            "stroke-width": 1 + 5 * share,
            "stroke-opacity": 0.2 + 0.6 * share,
          }),
        );
      }),
    );
    this.#lines.replaceChildren(...lines);
    this.#color(most);
  }

  /** Without a chosen word each has the color of its relevance; else the others have that of their pair with it. */
  #color(most) {
    const chosen = this.#chosen;
    const sums = this.#words.map((words, side) =>
      words.map((_, at) => {
        if (!chosen) return this.#found.texts[side].words[at].relevance;
        const others = this.#words[1 - side].map((__, other) => (side === 0 ? this.#pair(at, other) : this.#pair(other, at)));
        return side === chosen.side ? (at === chosen.at ? undefined : 0) : others[chosen.at];
      }),
    );
    const scale = chosen ? most : largest(sums.flat());
    sums.forEach((values, side) =>
      values.forEach((value, at) => {
        const color = value === undefined ? "for s0 chosen" : shade(value, scale);
        this.#words[side][at].setAttribute("class", `w ${color}`);
      }),
    );
    const told = this.querySelector(".told");
    if (!chosen) return told.replaceChildren();
    const partners = sums[1 - chosen.side];
    const best = partners.reduce((top, value, at) => (Math.abs(value) > Math.abs(partners[top]) ? at : top), 0);
    const text = (side, at) => element("b", { lang: "" }, this.#words[side][at].textContent);
    told.replaceChildren(text(chosen.side, chosen.at), " meets ", text(1 - chosen.side, best), ` most: ${signs(most * this.#unit)(partners[best] * this.#unit)}.`);
  }
}

customElements.define("relprop-pairs", Pairs);
