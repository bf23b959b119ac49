// The texts that a picture was compared with, the likeliest first.

import { bars, element, largest, percent, put, signs } from "./draw.js";

class Texts extends HTMLElement {
  /**
   * Shows how well each text fits the picture, and says above each of the report's `articles` what it is of: the picture,
   * and then the texts that the target depends on. `ask(text)` asks why one of them fits.
   */
  show(found, [picture, ...others], ask) {
    picture.prepend(element("h2", {}, "By its patches"));
    const explained = found.texts.filter(({ explanation }) => explanation);
    explained.forEach(({ text }, at) => others[at].prepend(element("h2", {}, "By the words of ", element("b", { lang: "" }, text))));
    const texts = [...found.texts].sort((a, b) => b.logit - a.logit);
    const most = largest(texts.map(({ logit }) => logit));
    const write = signs(most);
    const head = (text, number) => element("th", { scope: "col", class: number && "number" }, text);
    const row = ({ text, probability, cosine, logit }) =>
      element(
        "tr",
        {},
        element("th", { scope: "row", lang: "", dir: "auto" }, text),
        element("td", { class: "number" }, percent(probability, 1)),
        element("td", { class: "number" }, signs(1)(cosine)),
        element("td", { class: "number" }, write(logit)),
        element("td", { class: "drawn" }, bars([{ value: logit, of: "moved" }], most)),
        element("td", {}, element("button", { type: "button", class: "quiet", "aria-label": `Why ${text}?`, onclick: () => ask(text) }, "Why?")),
      );
    put(
      this,
      element("h2", {}, "How well each text fits"),
      element(
        "div",
        { class: "scroll", tabindex: 0, role: "group", "aria-label": "How well each text fits" },
        element(
          "table",
          { class: "promises" },
          element("thead", {}, element("tr", {}, head("text"), head("fits", true), head("cosine", true), head("logit", true), element("td"), element("td"))),
          element("tbody", {}, texts.map(row)),
        ),
      ),
    );
  }
}

customElements.define("relprop-texts", Texts);
