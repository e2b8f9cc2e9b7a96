// The share of the allowed difference at each element, as a picture of the last two axes.

const WRAP = 32; // elements in a row where an array has one axis only
const CROSSED = 12; // pixels that a cell needs for a cross in it
const RAMPS = {
  light: { zero: [232, 236, 241], within: [52, 104, 208], over: [240, 160, 48], far: [140, 13, 13], ink: "#fff" },
  dark: { zero: [42, 49, 58], within: [112, 160, 255], over: [214, 142, 40], far: [255, 84, 66], ink: "#14171b" },
};

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Within what is allowed from neutral to blue; beyond it from orange to red, which is reached at `far`. */
function colour(used, far, ramp) {
  const [from, to, way] =
    used <= 1 ? [ramp.zero, ramp.within, used] : [ramp.over, ramp.far, Math.min(Math.log(used) / Math.log(far), 1)];
  return `rgb(${from.map((low, at) => Math.round(low + (to[at] - low) * way)).join(" ")})`;
}

/** A slice of an array, in rows and columns: `at` gives the position of a cell in the array, -1 where there is none. */
function sliced(shape, fixed, across) {
  if (shape.length < 2) {
    const length = size(shape);
    const columns = Math.min(length, WRAP);
    const at = (row, column) => (row * columns + column < length ? row * columns + column : -1);
    const index = (row, column) => (shape.length ? [row * columns + column] : []);
    return { rows: Math.ceil(length / columns), columns, at, index, row: (row) => row * columns };
  }
  const index = (row, column) => fixed.with(across[0], row).with(across[1], column);
  const at = (row, column) => index(row, column).reduce((sum, each, axis) => sum * shape[axis] + each, 0);
  return { rows: shape[across[0]], columns: shape[across[1]], at, index, row: (row) => row };
}

/** The index of the element that takes most of what is allowed. */
function worstAt({ shape, used }) {
  let best = 0;
  used.forEach((each, at) => {
    if (each > used[best] || (Number.isNaN(used[best]) && !Number.isNaN(each))) best = at;
  });
  const index = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(best % shape[axis]);
    best = Math.floor(best / shape[axis]);
  }
  return index;
}

class HeatMap {
  /** `label` is what it shows, `sides` whose values they are. */
  constructor(label, sides, pictured) {
    Object.assign(this, { label, sides, pictured });
    const rank = pictured.shape.length;
    this.far = Math.max(10, ...finite(pictured.used));
    this.fixed = worstAt(pictured);
    this.across = [rank - 2, rank - 1];
    this.view = sliced(pictured.shape, this.fixed, this.across);
    const [first] = this.fixed;
    [this.row, this.column] = rank < 2 ? [Math.floor((first ?? 0) / WRAP), (first ?? 0) % WRAP] : this.fixed.slice(-2);
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.readout = h("p", { class: "readout", role: "status" });
    this.frame = h(
      "div",
      {
        class: "map",
        tabindex: "0",
        role: "application",
        "aria-label": `Heat map of ${label}. Arrow keys move from element to element.`,
        onkeydown: (event) => this.key(event),
      },
      this.canvas,
    );
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerdown", (event) => this.point(event));
    this.table = folded("The values of this slice as a table", false, () => this.cells());
    if (!pictured.values) this.table.hidden = true;
    const parts = [this.choices(), this.frame, this.readout, this.legend(), this.table];
    this.element = h("div", { class: "heatmap" }, parts);
    HeatMap.shown.add(this);
    this.draw();
  }

  /** Which two axes are shown, and for each other axis which slice. */
  choices() {
    const rank = this.pictured.shape.length;
    if (rank < 3) return null;
    const axes = [...Array(rank).keys()];
    const selects = ["rows", "columns"].map((name, side) => {
      const options = axes.map((axis) => h("option", { value: String(axis) }, `axis ${axis}`));
      const select = h("select", { onchange: () => this.turn(side, Number(select.value)) }, options);
      select.value = String(this.across[side]);
      return h("label", {}, `${name} `, select);
    });
    const sliders = axes.filter((axis) => !this.across.includes(axis)).map((axis) => this.slider(axis));
    return h("fieldset", { class: "slices" }, h("legend", {}, "Slice"), selects, sliders);
  }

  slider(axis) {
    const last = this.pictured.shape[axis] - 1;
    const output = h("output", {});
    const say = () => (output.textContent = `${this.fixed[axis]} of 0–${last}`);
    const change = () => {
      this.fixed[axis] = Number(input.value);
      say();
      this.slice();
    };
    const input = h("input", { type: "range", min: "0", max: String(last), oninput: change });
    input.setAttribute("aria-label", `index along axis ${axis}`);
    input.value = String(this.fixed[axis]);
    input.disabled = last === 0;
    say();
    return h("label", {}, `axis ${axis} `, input, output);
  }

  /** Show another axis as rows or columns; if it is the other one already, the two change places. */
  turn(side, axis) {
    this.fixed = this.view.index(this.row, this.column);
    if (this.across[1 - side] === axis) this.across.reverse();
    else this.across[side] = axis;
    [this.row, this.column] = this.across.map((each) => this.fixed[each]);
    const choices = this.choices();
    this.element.querySelector(".slices").replaceWith(choices);
    choices.querySelectorAll("select")[side].focus();
    this.slice();
  }

  slice() {
    this.view = sliced(this.pictured.shape, this.fixed, this.across);
    this.draw();
    const body = this.table.querySelector(".body");
    body.replaceChildren(...(this.table.open ? [this.cells()] : []));
  }

  legend() {
    const { used } = this.pictured;
    const scale = (way) => [...Array(12).keys()].map((at) => h("i", { "data-used": String(way(at / 11)) }));
    const nan = used.some(Number.isNaN) ? "A stroke marks what is not finite on both sides. " : "";
    return h(
      "p",
      { class: "legend" },
      "0 ",
      h(
        "span",
        { class: "scale", "aria-hidden": "true" },
        scale((share) => share),
      ),
      " all that is allowed ",
      h(
        "span",
        { class: "scale", "aria-hidden": "true" },
        scale((share) => Math.max(1.01, this.far ** share)),
      ),
      ` ${rounded(this.far, 2)} times. `,
      used.some((each) => each > 1) ? "A cross, in cells that are large enough, marks what is beyond. " : "",
      nan,
    );
  }

  draw() {
    const { rows, columns, at } = this.view;
    const ramp = RAMPS[isDark() ? "dark" : "light"];
    const room = Math.max(this.frame.clientWidth || 640, 240) - 8;
    const cell = Math.max(2, Math.min(32, Math.floor(Math.min(room / columns, 384 / rows))));
    const gap = cell >= 6 ? 1 : 0;
    const ratio = window.devicePixelRatio || 1;
    this.cell = cell;
    this.canvas.width = columns * cell * ratio;
    this.canvas.height = rows * cell * ratio;
    this.canvas.style.width = `${columns * cell}px`;
    this.canvas.style.height = `${rows * cell}px`;
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const place = at(row, column);
        if (place < 0) continue;
        const used = this.pictured.used[place];
        const [x, y, side] = [column * cell, row * cell, cell - gap];
        context.fillStyle = colour(Number.isNaN(used) ? 0 : used, this.far, ramp);
        context.fillRect(x, y, side, side);
        if (cell >= CROSSED && !(used <= 1)) cross(context, x, y, side, used > 1, used > 1 ? ramp.ink : "#888");
      }
    }
    if (cell >= 5) {
      context.lineWidth = 2;
      context.strokeStyle = getComputedStyle(this.frame).color;
      context.strokeRect(this.column * cell + 1, this.row * cell + 1, cell - gap - 2, cell - gap - 2);
    }
    for (const each of this.element?.querySelectorAll("[data-used]") ?? []) {
      each.style.background = colour(Number(each.dataset.used), this.far, ramp);
    }
    this.say();
  }

  say() {
    const place = this.view.at(this.row, this.column);
    const index = this.view.index(this.row, this.column);
    const { values, used } = this.pictured;
    const both = values ? values(place) : null;
    const said = both ? ` ${this.sides[0]} ${both[0]}, ${this.sides[1]} ${both[1]};` : "";
    this.readout.textContent = `${this.pictured.place(index)}:${said} ${share(used[place])}`;
  }

  move(row, column) {
    const { rows, columns, at } = this.view;
    const [to, over] = [Math.max(0, Math.min(rows - 1, row)), Math.max(0, Math.min(columns - 1, column))];
    if (at(to, over) < 0 || (to === this.row && over === this.column)) return;
    [this.row, this.column] = [to, over];
    this.draw();
  }

  key(event) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    this.move(this.row + step[0], this.column + step[1]);
  }

  point(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    this.move(Math.floor((event.clientY - top) / this.cell), Math.floor((event.clientX - left) / this.cell));
  }

  /** The slice as a table: one value where both sides have the same, else the first side's above the other's. */
  cells() {
    const { rows, columns, at, row: start } = this.view;
    const wrapped = this.pictured.shape.length < 2;
    const head = [...Array(columns).keys()].map((column) => (wrapped ? `+${column}` : String(column)));
    const body = [...Array(rows).keys()].map((row) => {
      const cells = head.map((_, column) => {
        const place = at(row, column);
        if (place < 0) return "";
        const [left, right] = this.pictured.values(place);
        const beyond = this.pictured.used[place] > 1;
        if (left === right && !beyond) return left;
        return h("span", { class: beyond ? "beyond" : "apart" }, h("span", {}, left), h("span", {}, right));
      });
      return [String(start(row)), ...cells];
    });
    const [left, right] = this.sides;
    return table(`One value where both agree to the digits shown, else ${left} above ${right}`, ["", ...head], body);
  }
}

function finite(used) {
  return [...used].filter(Number.isFinite);
}

/** The heat maps of the case that is open, which are drawn again when colours or widths change. */
HeatMap.shown = new Set();

function cross(context, x, y, side, both, ink) {
  const inset = side * 0.3;
  context.strokeStyle = ink;
  context.lineWidth = Math.max(1, side / 12);
  context.beginPath();
  if (both) {
    context.moveTo(x + inset, y + inset);
    context.lineTo(x + side - inset, y + side - inset);
  }
  context.moveTo(x + side - inset, y + inset);
  context.lineTo(x + inset, y + side - inset);
  context.stroke();
}
