// The page: a question by menus and by the address, and below it what was found.

import { articles, element } from "./draw.js";
import { Refused, compare, explain, known, similar } from "./ask.js";
import { EMPTY, compareRequest, explainRequest, fromAddress, isTowers, labels, replaced, similarRequest, toAddress, without } from "./question.js";
import { about, inputs, menus } from "./form.js";
import { enliven, rescale } from "./words.js";
import { promise } from "./change.js";
import "./curve.js";
import "./earlier.js";
import "./language.js";
import "./similar.js";
import "./towers.js";
import { saveHtml, saveJson, savePng, saveSvg } from "./save.js";

/** What is open when a page is new. Later it stays as it was left. */
const OPEN = new Set(["ledger"]);

class Page extends HTMLElement {
  /** The models, and what can be asked of them. */
  #known;
  /** The question that is shown, the request that was made of it, and what was answered. */
  #question = EMPTY;
  #request;
  #picture;
  #changes = [];
  #running;
  /** Another page takes the place of this one when other models are opened. */
  #gone = new AbortController();
  #open = new Set(OPEN);

  async connectedCallback() {
    const starting = element("p", { role: "status" }, "Waiting for the model…");
    this.replaceChildren(starting);
    try {
      this.#known = await known();
    } catch (error) {
      starting.replaceWith(element("p", { class: "error", role: "alert" }, `There is no answer: ${error.message}`));
      return;
    }
    if (!this.isConnected) return;
    this.#build();
    addEventListener("popstate", () => this.#restore(), { signal: this.#gone.signal });
    this.#restore();
  }

  disconnectedCallback() {
    this.#gone.abort();
    this.#running?.abort();
  }

  // What is asked

  #model(name = this.#question.model) {
    return this.#known.models.find((model) => model.name === name) ?? this.#known.models[0];
  }

  #build() {
    this.replaceChildren(
      element("header", { class: "head" }, element("h1", {}, "Why did it say that?"), element("p", { class: "about" })),
      element(
        "form",
        {
          class: "ask",
          "aria-label": "The question",
          onsubmit: (event) => {
            event.preventDefault();
            this.#ask({});
          },
        },
        element("div", { class: "inputs" }),
        element("div", { class: "menus" }),
        element("div", { class: "go" }, element("button", { class: "main" }, "Explain"), element("span", { class: "state", role: "status" })),
      ),
      element("p", { class: "error", role: "alert", hidden: true }),
      element("main", { class: "found" }),
      element("relprop-earlier"),
    );
    this.#form();
  }

  /** The fields and menus that this model has, with what the question says. */
  #form() {
    const [question, model] = [this.#question, this.#model()];
    const pick = (picture) => {
      this.#picture = picture;
      this.#ask({});
    };
    this.querySelector(".inputs").replaceChildren(...inputs(question, model, this.#picture, { ask: () => this.#ask({}), pick }));
    this.querySelector(".menus").replaceChildren(...menus(question, model, this.#known, (key) => this.#chosen(key)));
    for (const input of this.querySelector("form").querySelectorAll("textarea, .menus input")) input.value = question[input.name];
    this.querySelector(".about").textContent = about(model);
  }

  /** Another choice of a menu: another model has other labels and sites. */
  #chosen(key) {
    this.#ask(key === "model" ? { target: "", against: "", at: "", beside: "" } : {}, this.#changes);
  }

  /** What the fields and menus say. */
  #said() {
    const said = Object.fromEntries([...new FormData(this.querySelector("form"))].filter(([key]) => key in EMPTY));
    const { models, defaults } = this.#known;
    if (said.way === `rules:${defaults.rules}`) said.way = "";
    if (said.at === defaults.at) said.at = "";
    if (said.model === models[0].name) said.model = "";
    if (said.generate === "0") said.generate = "";
    return { ...EMPTY, ...said };
  }

  /** Asks what the fields say, with some of it said otherwise. */
  #ask(otherwise, changes = []) {
    const question = { ...this.#said(), ...otherwise };
    const model = this.#model(question.model);
    if (isTowers(model)) {
      // A text that was changed is no target any more.
      const texts = labels(question, model);
      const gone = (text) => text !== "" && !texts.includes(text);
      if (gone(question.target) || gone(question.against)) question.target = question.against = "";
    }
    // A target that was held while words were changed does not hold for a text of its own.
    if (changes.length === 0 && this.#changes.length > 0 && this.#changes[0].held) question.target = otherwise.target ?? "";
    this.#go(question, changes);
  }

  #go(question, changes) {
    const state = { changes };
    const address = `#${toAddress(question)}`;
    if (address === location.hash) history.replaceState(state, "", address);
    else history.pushState(state, "", address);
    this.#show(question, changes);
  }

  /** Shows what the address asks. */
  #restore() {
    this.#show(fromAddress(location.hash), history.state?.changes ?? []);
  }

  // What is found

  async #show(question, changes) {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#question = question;
    this.#changes = changes;
    this.#form();
    const model = this.#model();
    const found = this.querySelector("main");
    const state = this.querySelector(".state");
    this.#fail();
    const missing = [
      model.reads !== "texts" && !this.#picture,
      model.reads !== "pictures" && question.text.trim() === "",
      model.outputs === "vector" && question.pair.trim() === "",
    ];
    if (missing.some(Boolean)) {
      state.textContent = "";
      found.replaceChildren();
      return;
    }
    found.setAttribute("aria-busy", "true");
    state.textContent = "Explaining…";
    const start = performance.now();
    try {
      const parts = await this.#answer(question, model, running.signal);
      found.replaceChildren(...parts);
      state.textContent = `Explained in ${((performance.now() - start) / 1000).toFixed(1)} s`;
    } catch (error) {
      if (running.signal.aborted) return;
      found.replaceChildren();
      state.textContent = "";
      this.#fail(error instanceof Refused ? error.message : `There is no answer: ${error.message}`);
    }
    found.removeAttribute("aria-busy");
  }

  #fail(message = "") {
    const error = this.querySelector(":scope > .error");
    error.textContent = message;
    error.hidden = message === "";
  }

  /** Asks, and makes the elements that show the answer. */
  async #answer(question, model, signal) {
    if (model.outputs === "vector") {
      this.#request = { ask: similar, body: similarRequest(question, model) };
      const answer = await similar(this.#request.body, signal);
      const pairs = element("relprop-pairs");
      pairs.show(answer.similarities[0]);
      const shown = articles(answer.fragments[0].report);
      // The words stand between the lines already.
      shown.forEach((article) => article.querySelectorAll(".map").forEach((map) => map.remove()));
      this.#remember(question, `cosine ${answer.similarities[0].cosine.toFixed(2)}`);
      return [pairs, ...shown, this.#files(answer.similarities)];
    }
    if (question.beside) {
      const body = compareRequest(question, model);
      if (model.reads === "pictures") await this.#give(body);
      const { sides } = await compare(body, signal);
      const { text, sides: asked, fragments } = body;
      this.#request = { ask: explain, body: { text, fragments, ...asked[0] } };
      return this.#parts(sides[0], question, model, sides);
    }
    const body = explainRequest(question, model);
    if (model.reads !== "texts") await this.#give(body);
    this.#request = { ask: explain, body };
    return this.#parts(await explain(body, signal), question, model);
  }

  /** Puts the picture in the place of the text. */
  async #give(body) {
    delete body.text;
    const bytes = new Uint8Array(await this.#picture.arrayBuffer());
    const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    body.picture = { name: this.#picture.name, data: btoa(letters) };
  }

  #parts(answer, question, model, sides) {
    const [found] = answer.explanations;
    const shown = articles(answer.fragments[0].report);
    shown.forEach((article) => this.#keepOpen(article));
    const warning = answer.warning && element("p", { class: "note", role: "note" }, answer.warning);
    const files = this.#files(answer.explanations);
    if (found.steps) {
      const continuation = element("relprop-continuation");
      continuation.show(found);
      this.#remember(question, found.text);
      return [warning, continuation, ...shown, files].filter(Boolean);
    }
    if (isTowers(model)) {
      const texts = element("relprop-texts");
      texts.show(found, shown, (target) => this.#ask({ target, against: "" }));
      this.#draw(shown[0]);
      this.#contrasts(shown[0], question, found.picture, model);
      this.#remember(question, found.picture.prediction);
      return [warning, texts, ...shown, files].filter(Boolean);
    }
    const [article] = shown;
    const map = article?.querySelector(":scope > .map");
    if (!found.logits || !article) return [warning, ...shown, files].filter(Boolean);
    this.#remember(question, found.prediction);
    this.#draw(article);
    if (map) this.#words(map, { explanation: found, question, model, article });
    if (sides) this.#beside(article, map, sides);
    this.#contrasts(article, question, found, model);
    return [warning, article, files].filter(Boolean);
  }

  /** Puts the picture under the heat maps of an article. */
  #draw(article) {
    if (this.#picture) article.style.setProperty("--picture", `url(${URL.createObjectURL(this.#picture)})`);
  }

  /** Words that can be taken away, and what that did. */
  #words(map, asked) {
    const { explanation, article } = asked;
    enliven(map, explanation, {
      change: (word, other) => this.#change(word, other, asked),
      look: (word) => point(article, explanation, word),
    });
    if (explanation.answer) return;
    const changes = element("relprop-changes", { class: "panel" });
    const past = this.#changes;
    // What the last change led to is known now.
    const done = past.at(-1);
    if (done && done.moved === undefined) {
      done.moved = explanation.target.value - done.value;
      done.after = decided(article);
      if (done.other && done.promised !== undefined) {
        const fresh = explanation.words.find((one) => one.start === done.start);
        if (fresh) done.promised += fresh.relevance;
      }
      history.replaceState({ changes: past }, "");
    }
    changes.show(asked, past.filter(({ moved }) => moved !== undefined), () => history.back());
    const curve = element("relprop-curve", { class: "panel" });
    curve.show(asked);
    const sums = article.querySelector(":scope > .sums");
    sums.after(changes, curve);
  }

  /** Asks for the text without a word, or with another in its place. The target stays the same label. */
  #change(word, other, { explanation, question, model, article }) {
    const text = other ? replaced(explanation.text, word, other) : without(explanation.text, [word]);
    if (text.trim() === "") return this.#fail("A text needs a word.");
    const target = question.target || (model.outputs === "vocabulary" ? JSON.stringify(explanation.prediction) : explanation.prediction);
    const change = {
      word: word.text,
      other,
      start: word.start,
      held: question.target === "" || this.#changes[0]?.held === true,
      promised: promise(explanation, word.relevance),
      value: explanation.target.value,
      before: decided(article),
    };
    this.#go({ ...question, text, target }, [...this.#changes, change]);
  }

  /** Two explanations side by side; where their units are the same, their colors are too. */
  #beside(article, map, sides) {
    const [main, other] = sides;
    const [twin] = articles(other.fragments[0].report);
    if (!map || !twin) return;
    const foreign = main.model !== other.model;
    const column = ({ title, model }, ...parts) => element("section", {}, element("h2", {}, foreign ? `${title} · ${model}` : title), ...parts);
    const columns = element("div", { class: "sides" });
    map.replaceWith(columns);
    const theirs = twin.querySelector(":scope > .map");
    const parts = [foreign && twin.querySelector(".decision"), theirs, twin.querySelector(":scope > .sums")];
    columns.append(column(main, map, article.querySelector(":scope > .sums")), column(other, ...parts.filter(Boolean)));
    rescale(map, main.explanations[0], main.scales[0]);
    rescale(theirs, other.explanations[0], other.scales[0]);
    const same = main.scales[0] === other.scales[0];
    columns.after(element("p", { class: "hint" }, same ? "Both have one scale: the same color is the same relevance." : "Each has a unit of its own, so compare colors within one only."));
  }

  /** Why this and not that, with one click. */
  #contrasts(article, question, explanation, model) {
    if (!(model.outputs === "labels" || isTowers(model)) || question.against) return;
    const names = labels(question, model);
    for (const item of article.querySelectorAll(":scope > .labels > li")) {
      const label = item.dataset.label;
      if (!names.includes(label)) continue;
      const ask = () => this.#ask({ target: explanation.prediction, against: label });
      item.append(" ", element("button", { type: "button", class: "quiet", onclick: ask }, `Why not ${label}?`));
    }
  }

  /** Parts are opened and closed once for all texts. */
  #keepOpen(article) {
    for (const part of article.querySelectorAll("details")) {
      const name = part.className;
      part.open = this.#open.has(name);
      part.addEventListener("toggle", () => (part.open ? this.#open.add(name) : this.#open.delete(name)));
    }
  }

  // What is kept

  #files(found) {
    const drawing = async (kind) => {
      const { ask, body } = this.#request;
      const { fragments } = await ask({ ...body, fragments: [kind] });
      return fragments[0][kind];
    };
    const button = (name, save) =>
      element("button", { type: "button", class: "quiet", onclick: () => Promise.resolve(save()).catch((error) => this.#fail(error.message)) }, name);
    // What is drawn is one heat map: of a picture and texts, that of the picture.
    const drawable = found[0].logits || found[0].picture;
    const copied = element("span", { role: "status" });
    return element(
      "div",
      { class: "files", role: "group", "aria-label": "Keep it" },
      element("span", {}, "Keep it:"),
      button("JSON", () => saveJson(found)),
      drawable && button("SVG", async () => saveSvg(await drawing("svg"))),
      drawable && button("PNG", async () => savePng(await drawing("svg"))),
      button("HTML", async () => saveHtml(await drawing("page"))),
      button("Link", async () => {
        await navigator.clipboard.writeText(location.href);
        copied.textContent = "copied";
      }),
      copied,
    );
  }

  #remember(question, outcome) {
    this.querySelector("relprop-earlier").add(question, outcome);
  }
}

/** The prediction and its probability, as the report says them. */
const decided = (article) => {
  const first = article.querySelector(".decision dd");
  return [...(first?.querySelectorAll("strong, .number") ?? [])].map((part) => part.textContent).join(" ");
};

/** Marks the columns of a word's tokens in the table of layers. */
function point(article, explanation, word) {
  for (const marked of article.querySelectorAll(".layers .at")) marked.classList.remove("at");
  if (!word) return;
  explanation.tokens.forEach((token, index) => {
    if (token.special || token.start < word.start || token.end > word.end) return;
    for (const row of article.querySelectorAll(".layers tr")) row.children[index + 1]?.classList.add("at");
  });
}

customElements.define("relprop-page", Page);
