// Earlier questions of this tab, with what was answered.

import { element } from "./draw.js";
import { toAddress } from "./question.js";

const KEY = "relprop.earlier";
const MOST = 20;

class Earlier extends HTMLElement {
  connectedCallback() {
    const list = element("details", { class: "earlier", hidden: true }, element("summary", {}, "Earlier questions"), element("ol"));
    this.replaceChildren(element("nav", { "aria-label": "Earlier questions" }, list));
    this.show();
  }

  /** Puts a question first. */
  add(question, outcome) {
    const address = toAddress(question);
    const others = kept().filter((one) => one.address !== address);
    const text = [...question.text].slice(0, 80).join("");
    sessionStorage.setItem(KEY, JSON.stringify([{ address, text, outcome }, ...others].slice(0, MOST)));
    this.show();
  }

  show() {
    const all = kept();
    this.querySelector(".earlier").hidden = all.length === 0;
    const item = ({ address, text, outcome }) =>
      element("li", {}, element("a", { href: `#${address}`, lang: "", dir: "auto" }, text), " ", element("small", {}, outcome));
    this.querySelector("ol").replaceChildren(...all.map(item));
  }
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}

customElements.define("relprop-earlier", Earlier);
