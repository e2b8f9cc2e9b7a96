// The expression, with what is known of each operation in the margin.

const SIGNS = { blamed: "✗", right: "✓", untried: "·" };

function expression(lines) {
  const known = lines.some(({ operations }) => Object.keys(operations).length);
  const rows = lines.map(({ number, parts, operations }) => {
    const code = parts.map(([text, blamed]) => (blamed ? h("mark", {}, text) : text));
    const cells = [
      known ? h("td", { class: "margin" }, margin(operations)) : null,
      h("th", { scope: "row", class: "number" }, String(number)),
      h("td", { class: "code" }, h("code", {}, code)),
    ];
    return h("tr", { class: operations.blamed ? "blamed" : null }, cells.filter(Boolean));
  });
  const head = [...(known ? ["by itself"] : []), "line", "expression"].map((name) => h("th", { scope: "col" }, name));
  const listing = h("table", { class: "source" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows));
  const untried = lines.some(({ operations }) => operations.untried);
  const hint = untried
    ? h(
        "p",
        { class: "quiet" },
        "· not tried by itself: ",
        h("code", {}, "--blame"),
        " tries every operation that can be.",
      )
    : null;
  return section("Expression", framed("The expression", listing), hint);
}

/** The operations of a line: those to blame by name, of the others how many there are. */
function margin(operations) {
  return Object.entries(operations).flatMap(([mark, names]) => {
    const words = {
      blamed: names.join(", "),
      right: names.length === 1 ? "right" : `${names.length} right`,
      untried: names.length === 1 ? "not tried" : `${names.length} not tried`,
    };
    return [h("span", { class: `mark ${mark}`, title: names.join(", ") }, `${SIGNS[mark]} ${words[mark]}`), " "];
  });
}
