// Elements, numbers and colors. A text is always set as text.

const SVG = "http://www.w3.org/2000/svg";

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  put(made, ...children);
  return made;
}

/** Puts children into an element in the place of what is there; those that are nothing or false are left out. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
}

/** An element of HTML. `onclick` and the like are listeners; children are elements or texts. */
export const element = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);

/** An element of a drawing. */
export const drawn = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

/**
 * The articles of a report, as elements. `html` is a fragment of relprop's own writers, which escape every text. Its
 * style sheet is that of the page already, and the page sets the picture of an article itself.
 */
export function articles(html) {
  const plain = html.replace(/<style>[^]*?<\/style>/, "").replaceAll(/<article style="[^"]*"/g, "<article");
  const parsed = new DOMParser().parseFromString(plain, "text/html");
  const found = [...parsed.querySelectorAll("article")];
  for (const article of found) article.querySelector("h2")?.remove();
  return found.map((article) => document.adoptNode(article));
}

/** The largest absolute value. */
export const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** How numbers are written of which the largest has this absolute value: as in every format of relprop. */
export function signs(most) {
  if (most !== 0 && (most < 1e-4 || most >= 1e6)) {
    return (value) => (value === 0 ? "0" : sign(value, Math.abs(value).toExponential(1).replace("e+", "e")));
  }
  const decimals = most === 0 ? 2 : most < 1e-3 ? 5 : most < 1e-2 ? 4 : most < 1e-1 ? 3 : most < 1e2 ? 2 : most < 1e3 ? 1 : 0;
  return (value) => {
    const digits = Math.abs(value).toFixed(decimals);
    return Number(digits) === 0 ? digits : sign(value, digits);
  };
}

const sign = (value, digits) => `${value < 0 ? "−" : "+"}${digits.replace("-", "−")}`;

/** A fraction in percent. */
export const percent = (fraction, decimals = 0) => `${(100 * fraction).toFixed(decimals)}\u00a0%`;

/** The classes of a color, as in the report: for or against, and one of fifty depths. */
export function shade(relevance, scale) {
  const depth = scale > 0 ? Math.round(50 * Math.min(1, Math.abs(relevance) / scale)) : 0;
  return `${relevance < 0 ? "against" : "for"} s${depth}`;
}

/** Two numbers as bars from the same zero, on a scale that others share. */
export function bars(values, most) {
  const place = (value) => 50 + (most > 0 ? (49 * value) / most : 0);
  return drawn(
    "svg",
    { class: "bars", "aria-hidden": "true" },
    values.map(({ value, of }, row) => {
      const [from, to] = [Math.min(50, place(value)), Math.max(50, place(value))];
      const height = 100 / values.length;
      return drawn("rect", {
        class: `${of} ${value < 0 ? "against" : "for"}`,
        x: `${from}%`,
        width: `${Math.max(to - from, 0.3)}%`,
        y: `${row * height + 8}%`,
        height: `${height - 16}%`,
      });
    }),
    drawn("rect", { class: "zero", x: "50%", width: 1, height: "100%" }),
  );
}
