// The program as a graph, whose layout was made when the report was written.

const SVG = "http://www.w3.org/2000/svg";

function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function program(name) {
  const { graph, lines, left_out: missing, operations } = stored(name);
  const parts = [];
  if (graph) parts.push(framed("The graph of the program", drawn(graph, operations)));
  else
    parts.push(h("p", {}, `With ${operations} operations the program is too large to be drawn; it is listed below.`));
  const more = missing ? `\n… ${missing} more lines, which --report json=FILE has` : "";
  parts.push(folded("The program as text", false, () => framed("The program", h("pre", {}, lines.join("\n") + more))));
  return section("Program", parts);
}

function drawn({ nodes, edges }, operations) {
  const around = 12;
  const left = Math.min(...nodes.map(({ box }) => box[0] - box[2] / 2), ...edges.flat().map(([x]) => x)) - around;
  const right = Math.max(...nodes.map(({ box }) => box[0] + box[2] / 2), ...edges.flat().map(([x]) => x)) + around;
  const top = Math.min(...nodes.map(({ box }) => box[1] - box[3] / 2)) - around;
  const bottom = Math.max(...nodes.map(({ box }) => box[1] + box[3] / 2)) + around;
  const [width, height] = [right - left, bottom - top];
  const blamed = nodes.filter(({ mark }) => mark === "blamed").map(({ lines }) => lines[0]);
  const label =
    `Graph of ${operations} operation${operations === 1 ? "" : "s"}, from the inputs at the top to the targets.` +
    (blamed.length ? ` To blame: ${blamed.join("; ")}.` : "");
  const tip = s("path", { d: "M0 0 8 4 0 8Z" });
  const head = s("marker", { id: "tip", markerWidth: 8, markerHeight: 8, refX: 8, refY: 4, orient: "auto" }, tip);
  const svg = s("svg", {
    viewBox: `${left} ${top} ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-label": label,
  });
  svg.append(s("defs", {}, head));
  for (const points of edges) {
    svg.append(s("polyline", { points: points.join(" "), "marker-end": "url(#tip)" }));
  }
  svg.append(...nodes.map(node));
  return h("div", { class: "graph" }, svg);
}

function node({ kind, mark, lines, box: [x, y, width, height] }) {
  const corner = kind === "variable" ? height / 2 : 5;
  const rect = s("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: corner });
  const spans = lines.map((line, at) =>
    s("tspan", { x, y: y + (at - (lines.length - 1) / 2) * 16 + 4, class: at ? "type" : "call" }, line),
  );
  const group = s("g", { class: `node ${kind} ${mark}` }, rect, s("text", {}, ...spans));
  if (mark === "blamed" || mark === "right") {
    const [at, over] = [x - width / 2, y - height / 2];
    group.append(
      s("circle", { cx: at, cy: over, r: 8 }),
      s("text", { x: at, y: over + 4, class: "sign" }, SIGNS[mark]),
    );
  }
  return group;
}
