// The words of a heat map as buttons: one can be taken away, or another put in its place.

import { element, shade } from "./draw.js";

/** Colors a heat map on this scale, so that it can be compared with another. */
export function rescale(map, explanation, scale) {
  for (const [span, word] of spans(map, explanation)) {
    span.setAttribute("class", `w ${shade(word.relevance, scale)}`);
  }
}

/** The elements of the words, each with its word. */
function spans(map, explanation) {
  const words = new Map(explanation.words.map((word) => [word.start, word]));
  const found = [...map.querySelectorAll("[data-start]")];
  return found.map((span) => [span, words.get(Number(span.dataset.start))]).filter(([, word]) => word);
}

/**
 * Makes words buttons. One of them is in the order of the Tab key; arrows go to the others.
 *
 * `change(word, other)` is called with a word and what shall stand in its place, which may be empty. `look(word)` is
 * called when a word is pointed at, and with nothing when it is left.
 */
export function enliven(map, explanation, { change, look }) {
  const all = spans(map, explanation);
  const buttons = all.map(([span]) => span);
  map.setAttribute("role", "group");
  map.setAttribute("aria-label", "The text. Arrows go from word to word, Enter opens one, Delete takes it away.");
  const go = (index) => {
    const to = buttons[Math.max(0, Math.min(buttons.length - 1, index))];
    buttons.forEach((button) => button.setAttribute("tabindex", button === to ? 0 : -1));
    to.focus();
  };
  all.forEach(([span, word], index) => {
    span.setAttribute("role", "button");
    span.setAttribute("aria-haspopup", "dialog");
    span.setAttribute("aria-label", span.title);
    span.setAttribute("tabindex", index === 0 ? 0 : -1);
    span.addEventListener("click", () => open(span, word, change));
    span.addEventListener("pointerenter", () => look(word));
    span.addEventListener("pointerleave", () => look());
    span.addEventListener("focus", () => look(word));
    span.addEventListener("blur", () => look());
    span.addEventListener("keydown", (event) => {
      const forward = getComputedStyle(map).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
      const back = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
      const steps = { [forward]: index + 1, [back]: index - 1, Home: 0, End: buttons.length - 1 };
      if (event.key in steps) go(steps[event.key]);
      else if (event.key === "Enter" || event.key === " ") open(span, word, change);
      else if (event.key === "Delete" || event.key === "Backspace") change(word, "");
      else return;
      event.preventDefault();
    });
  });
}

/** What a word is, and what can be done with it, beside the word. */
function open(span, word, change) {
  document.querySelector(".word-menu")?.remove();
  const field = element("input", { "aria-label": "Another word", dir: "auto", lang: "", autocomplete: "off" });
  const close = () => {
    menu.hidePopover();
    span.focus();
  };
  const menu = element(
    "div",
    { class: "word-menu", popover: true, role: "dialog", "aria-label": "What to do with this word" },
    element("p", { lang: "", dir: "auto" }, span.title),
    element("button", { type: "button", class: "main", onclick: () => act("") }, "Take it away"),
    element(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          if (field.value.trim()) act(field.value.trim());
        },
      },
      field,
      element("button", {}, "Put in its place"),
    ),
  );
  const act = (other) => {
    close();
    change(word, other);
  };
  menu.addEventListener("toggle", (event) => event.newState === "closed" && menu.remove());
  menu.addEventListener("keydown", (event) => event.key === "Escape" && close());
  document.body.append(menu);
  menu.showPopover();
  const [at, size] = [span.getBoundingClientRect(), menu.getBoundingClientRect()];
  const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - size.width - 8));
  menu.style.left = `${left + scrollX}px`;
  menu.style.top = `${at.bottom + scrollY + 6}px`;
  menu.querySelector("button").focus();
}
