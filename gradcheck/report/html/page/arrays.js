// Arrays as the report packs them: little-endian bytes in base64, row by row.

const READ = {
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  complex128: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};
const DIGITS = { float64: 15, complex128: 15, float32: 8, complex64: 8, float16: 4, bfloat16: 3 };

function unpacked(text, type) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new READ[type](bytes.buffer);
}

/** What a picture of a comparison is made from: its shape, the share of each cell, and what to say of one. */
function picture(comparison) {
  const { whole, coarse, shape } = comparison;
  if (whole) {
    const right = unpacked(whole.right, whole.type);
    const left = whole.left === null ? right : unpacked(whole.left, whole.type);
    const used = whole.used === null ? new Float32Array(size(shape)) : unpacked(whole.used, "float32");
    const value = (values, at) => number(values, at, whole.type, comparison.dtype);
    return {
      shape,
      used,
      values: (at) => [value(left, at), value(right, at)],
      place: (index) => (index.length ? `[${index.join(", ")}]` : "the value"),
    };
  }
  const place = (index) =>
    `[${index.map((each, axis) => span(each, coarse.block[axis], shape[axis])).join(", ")}], the worst of them`;
  return { shape: coarse.shape, used: unpacked(coarse.used, "float32"), values: null, place };
}

function span(cell, block, length) {
  const first = cell * block;
  const last = Math.min(first + block, length) - 1;
  return first === last ? `${first}` : `${first}–${last}`;
}

function size(shape) {
  return shape.reduce((product, length) => product * length, 1);
}

/** One element with the digits that its dtype has. */
function number(values, at, type, dtype) {
  if (type === "bool") return values[at] ? "True" : "False";
  if (!(dtype in DIGITS)) return String(values[at]);
  const digits = DIGITS[dtype];
  if (!type.startsWith("complex")) return rounded(values[at], digits);
  const imaginary = values[2 * at + 1];
  const sign = imaginary < 0 || Object.is(imaginary, -0) ? "-" : "+";
  return `${rounded(values[2 * at], digits)}${sign}${rounded(Math.abs(imaginary), digits)}j`;
}

/** As Python's `g` writes it. */
function rounded(value, digits) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0";
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= digits) return `${short(mantissa)}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  return short(value.toFixed(digits - 1 - exponent));
}

function short(decimal) {
  return decimal.includes(".") ? decimal.replace(/\.?0+$/, "") : decimal;
}

/** How much of what is allowed an element takes: `0`, `3%`, `250x`; NaN where neither side is finite. */
function share(used) {
  if (Number.isNaN(used)) return "not finite on both sides";
  if (used === 0) return "equal";
  return used > 1 ? `${rounded(used, 3)} times the allowed` : `${rounded(used * 100, 2)}% of the allowed`;
}
