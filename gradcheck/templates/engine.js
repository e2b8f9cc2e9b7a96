// An engine for gradcheck in JavaScript, without dependencies:
//
//     gradcheck compare cases/ --engine 'command:node engine.js'
//
// gradcheck writes one JSON object a line to standard input and reads one line for each from standard output;
// `gradcheck schema --protocol` describes them all. Log with console.error: standard output belongs to the protocol.
// Replace OPERATIONS and `run` by your own engine, and keep the first and the last part.

// ---- Arrays: {shape: [2, 3], data: Float64Array}, elements in row-major order. --------------------------------------

const DTYPES = { float32: Float32Array, float64: Float64Array };

function decode({ dtype, shape, data }) {
  const bytes = new Uint8Array(Buffer.from(data, "base64")); // a copy, so that it begins on a multiple of 8
  return { shape, data: Float64Array.from(new DTYPES[dtype](bytes.buffer)) };
}

function encode({ shape, data }) {
  return { dtype: "float64", shape, data: Buffer.from(data.buffer).toString("base64") }; // gradcheck rounds to float32
}

const size = (shape) => shape.reduce((product, length) => product * length, 1);
const filled = (shape, number) => ({ shape, data: new Float64Array(size(shape)).fill(number) });
const map = (f, x) => ({ shape: x.shape, data: x.data.map(f) });

/** How many elements to move on by for each axis of `shape`; 0 along axes where `x` is repeated to fill it. */
function strides(x, shape) {
  const found = new Array(shape.length).fill(0);
  let step = 1;
  for (let axis = 1; axis <= x.shape.length; axis++) {
    const length = x.shape[x.shape.length - axis];
    if (length !== 1) found[shape.length - axis] = step;
    step *= length;
  }
  return found;
}

/** Where each element of an array of that shape comes from in `x`. */
function positions(x, shape) {
  const steps = strides(x, shape);
  return Int32Array.from({ length: size(shape) }, (_, place) => {
    let found = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      found += (place % shape[axis]) * steps[axis];
      place = Math.floor(place / shape[axis]);
    }
    return found;
  });
}

/** The shape of two arrays together: axes of length 1, and missing ones in front, are stretched. */
function broadcast(a, b) {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const one = a[axis - rank + a.length] ?? 1, two = b[axis - rank + b.length] ?? 1;
    return one === 1 ? two : one;
  });
}

/** `f` of two arrays, element by element, each repeated along the axes where it has length 1 or that it lacks. */
function zip(f, a, b) {
  const shape = broadcast(a.shape, b.shape);
  const left = positions(a, shape), right = positions(b, shape);
  return { shape, data: Float64Array.from(left, (place, at) => f(a.data[place], b.data[right[at]])) };
}

/** Undoes broadcasting: what was repeated from `shape` is added up again. */
function sumTo(x, shape) {
  const total = filled(shape, 0);
  positions(total, x.shape).forEach((place, at) => (total.data[place] += x.data[at]));
  return total;
}

function transpose(x) {
  const [rows, columns] = x.shape.slice(-2);
  const data = x.data.map((_, at) => {
    const row = at % rows, column = Math.floor(at / rows) % columns;
    return x.data[at - (at % (rows * columns)) + row * columns + column];
  });
  return { shape: [...x.shape.slice(0, -2), columns, rows], data };
}

/** The matrix product of the last two axes, the axes before them broadcast. */
function matmul(a, b) {
  const [rows, inner] = a.shape.slice(-2), columns = b.shape.at(-1);
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const [left, right] = [a, b].map(({ shape }) => positions({ shape: shape.slice(0, -2) }, batch));
  const product = filled([...batch, rows, columns], 0);
  for (let at = 0; at < product.data.length; at++) {
    const column = at % columns, row = Math.floor(at / columns) % rows, place = Math.floor(at / columns / rows);
    const first = (left[place] * rows + row) * inner, second = right[place] * inner * columns + column;
    for (let k = 0; k < inner; k++) product.data[at] += a.data[first + k] * b.data[second + k * columns];
  }
  return product;
}

// ---- Operations: from arrays to the value and `back`, from the gradient of the value to those of the arrays. ---------

class Unsupported extends Error {}

const unary = (f, rule) => (x) => {
  const value = map(f, x);
  return { value, back: (g) => [map((each, at) => rule(each, x.data[at], value.data[at]), g)] };
};

const times = (a, b) => zip((x, y) => x * y, a, b);
const binary = (f, left, right) => (a, b) => ({
  value: zip(f, a, b),
  back: (g) => [sumTo(times(g, zip(left, a, b)), a.shape), sumTo(times(g, zip(right, a, b)), b.shape)],
});

const OPERATIONS = {
  "tf.add": binary((a, b) => a + b, () => 1, () => 1),
  "tf.subtract": binary((a, b) => a - b, () => 1, () => -1),
  "tf.multiply": binary((a, b) => a * b, (a, b) => b, (a) => a),
  "tf.truediv": binary((a, b) => a / b, (a, b) => 1 / b, (a, b) => -a / (b * b)),
  "tf.negative": unary((x) => -x, (g) => -g),
  "tf.exp": unary(Math.exp, (g, x, y) => g * y),
  "tf.math.log": unary(Math.log, (g, x) => g / x),
  "tf.tanh": unary(Math.tanh, (g, x, y) => g * (1 - y * y)),
  "tf.square": unary((x) => x * x, (g, x) => 2 * g * x),
  "tf.nn.relu": unary((x) => Math.max(x, 0), (g, x) => (x > 0 ? g : 0)),
  "tf.matmul": (a, b) => ({
    value: matmul(a, b),
    back: (g) => [sumTo(matmul(g, transpose(b)), a.shape), sumTo(matmul(transpose(a), g), b.shape)],
  }),
  "tf.reduce_sum": (x, { axis = null, keepdims = false }) => {
    const rank = x.shape.length;
    const gone = (at) => axis === null || [axis].flat().some((each) => (each + rank) % rank === at);
    const kept = x.shape.map((length, at) => (gone(at) ? 1 : length));
    const shape = keepdims ? kept : x.shape.filter((_, at) => !gone(at));
    return {
      value: { shape, data: sumTo(x, kept).data },
      back: (g) => [zip((each) => each, { shape: kept, data: g.data }, x)],
    };
  },
};

// The arguments besides tensors that each takes; gradcheck sends those that differ from TensorFlow's defaults.
const ATTRIBUTES = { "tf.reduce_sum": ["axis", "keepdims"] };

function apply(op, arrays, attributes) {
  const unknown = Object.keys(attributes).find((name) => !ATTRIBUTES[op]?.includes(name));
  if (unknown !== undefined) throw new Unsupported(`there is no ${unknown} here`);
  return OPERATIONS[op](...arrays, attributes);
}

// ---- The tape: forwards through the program, then backwards for each set of cotangents. -----------------------------

function run({ program, inputs, sources, cotangents }) {
  const values = new Map(); // by index
  for (const { index, value } of program.constants) values.set(index, decode(value));
  for (const { name, index } of program.inputs) values.set(index, decode(inputs[name]));
  const tape = program.operations.map(({ op, operands, attributes, outputs }, position) => {
    try {
      const from = Object.values(operands).flat();
      const { value, back } = apply(op, from.map((index) => values.get(index)), attributes);
      values.set(outputs[0], value);
      return { to: outputs[0], from, back };
    } catch (error) {
      error.operation = position; // gradcheck knows its name and its line in the case
      throw error;
    }
  });
  const backwards = [...tape].reverse();
  const indexOf = Object.fromEntries(program.inputs.map(({ name, index }) => [name, index]));
  const gradients = cotangents.map((given) => {
    const found = new Map();
    const add = (at, g) => found.set(at, found.has(at) ? zip((a, b) => a + b, found.get(at), g) : g);
    program.outputs.forEach((at, place) => {
      add(at, given[place] === null ? filled(values.get(at).shape, 1) : decode(given[place]));
    });
    for (const { to, from, back } of backwards) {
      if (found.has(to)) back(found.get(to)).forEach((g, place) => add(from[place], g));
    }
    return sources.map((name) => {
      const gradient = found.get(indexOf[name]);
      return gradient === undefined ? null : encode(gradient); // null: not connected
    });
  });
  return { outputs: program.outputs.map((at) => encode(values.get(at))), gradients };
}

// ---- The protocol: a line in, a line out. ---------------------------------------------------------------------------

function answer(message) {
  if (message.type === "hello") {
    const [operations, dtypes] = [Object.keys(OPERATIONS), Object.keys(DTYPES)];
    return { type: "hello", protocol: 1, name: "engine.js", operations, dtypes };
  }
  try {
    return { type: "outcome", id: message.id, ...run(message) };
  } catch (error) {
    const kind = error instanceof Unsupported ? "unsupported" : "error";
    return { type: "failure", id: message.id, kind, message: error.message, operation: error.operation ?? null };
  }
}

let unfinished = "";
process.stdin.setEncoding("utf8").on("data", (text) => {
  const lines = (unfinished + text).split("\n");
  unfinished = lines.pop();
  for (const line of lines) process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
});
