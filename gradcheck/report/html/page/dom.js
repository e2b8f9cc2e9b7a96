// Elements made from text: nothing that a case says is ever read as markup.

/** An element with attributes (`onclick` and the like are listeners) and children: elements, text, or null. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== ""));
  return element;
}

/** A sentence in which what stands between backticks is code. */
function prose(sentence) {
  const parts = sentence.split("`");
  if (parts.length % 2 === 0) return [sentence];
  return parts.map((part, at) => (at % 2 ? h("code", {}, part) : part));
}

/** The JSON that the page has under this name. */
function stored(name) {
  return JSON.parse(document.getElementById(name).textContent);
}

const KINDS = {
  failed: "failed",
  "could not run": "not-run",
  unsupported: "unsupported",
  passed: "passed",
  skipped: "skipped",
};

function verdict(word, status) {
  return h("span", { class: `verdict ${KINDS[status]}` }, word);
}

let headings = 0;

/** A part of a case under a heading. */
function section(title, ...children) {
  const id = `part-${++headings}`;
  return h("section", { "aria-labelledby": id }, h("h3", { id }, title), ...children);
}

/** A table in a frame that scrolls, which the keyboard can do too. */
function table(caption, head, rows) {
  const cell = (value, at) => (at ? h("td", {}, value) : h("th", { scope: "row" }, value));
  const body = rows.map((row) => h("tr", {}, row.map(cell)));
  const columns = head.map((name) => (name ? h("th", { scope: "col" }, name) : h("td")));
  return framed(
    caption,
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, columns)), h("tbody", {}, body)),
  );
}

function framed(label, child) {
  return h("div", { class: "frame", tabindex: "0", role: "group", "aria-label": label }, child);
}

/** Something that is made when it is opened for the first time. */
function folded(title, open, make) {
  const body = h("div", { class: "body" });
  const details = h("details", {}, h("summary", {}, title), body);
  const fill = () => {
    if (details.open && !body.hasChildNodes()) body.append(...[make()].flat());
  };
  details.addEventListener("toggle", fill);
  details.open = open;
  fill();
  return details;
}
