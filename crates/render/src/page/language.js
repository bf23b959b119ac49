// A continuation: each new token, and which tokens before it drove it.

import { element, largest, percent, shade, signs } from "./draw.js";

class Continuation extends HTMLElement {
  #found;
  #buttons = [];

  /** Shows a continuation, at its first new token. */
  show(found) {
    this.#found = found;
    const letters = [...found.text];
    const steps = new Map(found.steps.map((step, at) => [step.token, at]));
    let end = 0;
    const parts = [];
    this.#buttons = [];
    found.tokens.forEach((token, index) => {
      if (token.end <= token.start && !steps.has(index)) return;
      parts.push(letters.slice(end, Math.max(end, token.start)).join(""));
      const text = letters.slice(Math.max(end, token.start), token.end).join("") || token.text;
      end = Math.max(end, token.end);
      const button = element(
        "span",
        {
          class: "w",
          role: "button",
          tabindex: this.#buttons.length === 0 ? 0 : -1,
          "data-token": index,
          onclick: () => this.#choose(index),
          onkeydown: (event) => this.#key(event, index),
        },
        text,
      );
      if (steps.has(index)) button.classList.add("new");
      this.#buttons.push(button);
      parts.push(button);
    });
    parts.push(letters.slice(end).join(""));
    this.replaceChildren(
      element("h2", {}, "Who drove whom"),
      element(
        "p",
        { class: "hint" },
        "The underlined tokens are new. Choose one to see which tokens before it drove it; choose an earlier one to see which new ones it drove.",
      ),
      element("p", { class: "map large", lang: "", dir: "auto", role: "group", "aria-label": "The text, token by token" }, parts),
      element("p", { class: "told", role: "status" }),
    );
    if (found.steps.length > 0) this.#choose(found.steps[0].token);
  }

  #key(event, index) {
    const at = this.#buttons.findIndex((button) => Number(button.dataset.token) === index);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: this.#buttons.length - 1 }[event.key];
    if (to !== undefined) {
      const next = this.#buttons[Math.max(0, Math.min(this.#buttons.length - 1, to))];
      this.#buttons.forEach((button) => button.setAttribute("tabindex", button === next ? 0 : -1));
      next.focus();
    } else if (event.key === "Enter" || event.key === " ") this.#choose(index);
    else return;
    event.preventDefault();
  }

  #choose(index) {
    const { steps } = this.#found;
    const step = steps.find((one) => one.token === index);
    // A column of the table, or a row of it.
    const relevance = new Map(
      step
        ? step.relevance.map((value, token) => [token, value])
        : steps.filter((one) => one.token > index).map((one) => [one.token, one.relevance[index] ?? 0]),
    );
    const scale = largest([...relevance.values()]);
    const write = signs(scale);
    for (const button of this.#buttons) {
      const token = Number(button.dataset.token);
      const value = relevance.get(token);
      const color = value === undefined ? "for s0" : shade(value, scale);
      const fresh = button.classList.contains("new");
      button.setAttribute("class", `w ${color}${fresh ? " new" : ""}${token === index ? " chosen" : ""}`);
      button.setAttribute("aria-pressed", token === index);
      button.title = value === undefined ? "" : write(value);
    }
    const chosen = this.#buttons.find((button) => Number(button.dataset.token) === index);
    const name = element("b", { lang: "" }, JSON.stringify(chosen.textContent));
    this.querySelector(".told").replaceChildren(
      ...(step
        ? [name, ` had a probability of ${percent(step.probability)} and a logit of ${signs(Math.abs(step.target.value))(step.target.value)}. Blue tokens drove it, red ones spoke against it.`]
        : [name, " drove the blue new tokens, and spoke against the red ones."]),
    );
  }
}

customElements.define("relprop-continuation", Continuation);
