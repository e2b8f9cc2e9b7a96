// What was compared: a table of all variables, then each with its picture.

function variables(all) {
  const opened = all.map((variable) => folded(title(variable), false, () => shown(variable)));
  const rows = all.map((variable, at) => {
    const first = variable.comparisons[0];
    const jump = () => {
      opened[at].open = true;
      opened[at].querySelector("summary").focus();
    };
    const name = h("button", { type: "button", class: "plain", onclick: jump }, variable.name);
    const [index, left, right, used] = first.row;
    const shape = first.shape ? `[${first.shape.join(", ")}]` : "";
    return [name, shape, index, left, right, bar(first, used), verdict(variable.verdict, variable.status)];
  });
  const sides = all[0].comparisons[0].sides;
  const head = ["variable", "shape", "worst at", ...sides, "of the allowed", "verdict"];
  const first = all.findIndex((variable) => variable.status === "failed");
  if (first >= 0) opened[first].open = true;
  return section("What was compared", table("The worst element of each variable", head, rows), opened);
}

function title(variable) {
  return h("span", {}, h("code", {}, variable.name), " ", verdict(variable.verdict, variable.status));
}

/** The share of what is allowed, as a bar that is full at all of it. */
function bar(comparison, used) {
  if (comparison.used === null) return "";
  const filled = h("i", { class: comparison.used > 1 ? "beyond" : "within" });
  filled.style.width = `${Math.min(comparison.used, 1) * 100}%`;
  return h("span", { class: "share" }, h("span", { class: "bar", "aria-hidden": "true" }, filled), used);
}

/** A variable under each of the circumstances in which it was compared, one at a time. */
function shown(variable) {
  const place = h("div");
  const show = (at) => place.replaceChildren(...compared(variable.name, variable.comparisons[at]));
  show(0);
  if (variable.comparisons.length === 1) return [place];
  const options = variable.comparisons.map((each, at) =>
    h("option", { value: String(at) }, `${each.circumstance}: ${each.verdict}`),
  );
  const choice = h("select", { onchange: () => show(Number(choice.value)) }, options);
  return [h("p", {}, h("label", {}, "Compared ", choice)), place];
}

/** One comparison: how it went, its picture, its worst elements, and what the page has no room for. */
function compared(name, comparison) {
  const { sides, shape, dtype, whole, coarse, texts, worst, note, beyond } = comparison;
  const total = shape ? size(shape) : 0;
  const said = [`${dtype}[${(shape ?? []).join(", ")}], ${comparison.circumstance}`];
  if (beyond) said.push(`${beyond} of ${total} elements differ by more than is allowed`);
  if (note) said.push(note);
  const parts = [h("p", {}, prose(`${said.join("; ")}.`))];
  if (texts) {
    parts.push(...texts.map((value, at) => framed(sides[at], h("pre", {}, `${sides[at]}\n${value}`))));
    return parts;
  }
  if (total === 0) return parts;
  const label = `${name} ${comparison.circumstance}: the share that each element takes of the allowed difference`;
  if (whole || coarse) parts.push(new HeatMap(label, sides, picture(comparison)).element);
  if (coarse) parts.push(h("p", { class: "quiet" }, omitted(total, coarse)));
  if (!whole && !coarse)
    parts.push(h("p", { class: "quiet" }, `The page has no room left for these ${total} values; `, JSON_HAS));
  if (worst.length) {
    parts.push(table("The elements that differ most", ["at", ...sides, "difference", "allowed", "share"], worst));
  } else {
    parts.push(h("p", {}, "Every element is equal."));
  }
  return parts;
}

const JSON_HAS = "the report that --report json=FILE writes has all of them.";

function omitted(total, coarse) {
  const block = coarse.block.join(" by ");
  return `Of ${total} elements a cell shows the worst in a block of ${block}, and no other values are in the page; ${JSON_HAS}`;
}
