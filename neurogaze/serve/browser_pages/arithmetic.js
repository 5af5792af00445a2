// From pixels to probabilities, step by step as the Python package does it (deploy/cropping.py,
// faces/reading.py, faces/preprocessing.py, deploy/recogniser.py), so that both say the same of the
// same pixels: a whole picture is reduced as students were trained (bicubic, to the very level), a
// square that somebody drew or a detector found is sampled over areas, as the package does those.

export const FACE_SIZE = 48; // of the grey picture that a student knows, pixels
const FINEST = 6; // most samples along a side of each pixel; larger faces are averaged before
const WHITE = 255;
const ONE = 2 ** 22; // of the whole numbers in which Pillow keeps the weights of 8-bit pictures
const STRIP = 256; // rows of a picture that are read at once

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Round half to even, as NumPy does.
export function rint(value) {
  const low = Math.floor(value), rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}

// ITU-R 601 luma in the integers of Pillow.
function luma(rgba) {
  const grey = new Uint8Array(rgba.length / 4);
  for (let i = 0; i < grey.length; i += 1) {
    const [r, g, b] = [rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]];
    grey[i] = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;
  }
  return grey;
}

// Means over blocks of pixels; those at the right and lower edge may be smaller.
function reduced({ levels, width, height }, block) {
  if (block === 1) return { levels, width, height };
  const [across, down] = [Math.ceil(width / block), Math.ceil(height / block)];
  const sums = new Uint32Array(across * down), counts = new Uint32Array(across * down);
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor(y / block) * across;
    for (let x = 0; x < width; x += 1) {
      const cell = row + Math.floor(x / block);
      sums[cell] += levels[y * width + x];
      counts[cell] += 1;
    }
  }
  const means = sums.map((sum, i) => Math.floor((sum + (counts[i] >> 1)) / counts[i]));
  return { levels: means, width: across, height: down };
}

// Between pixel centres, which lie at whole numbers; the edge goes on outside.
function bilinear({ levels, width, height }, x, y) {
  const [u, v] = [clamp(x, 0, width - 1), clamp(y, 0, height - 1)];
  const [x0, y0] = [Math.floor(u), Math.floor(v)];
  const [x1, y1] = [Math.min(x0 + 1, width - 1), Math.min(y0 + 1, height - 1)];
  const [a, b] = [u - x0, v - y0];
  const upper = levels[y0 * width + x0] * (1 - a) + levels[y0 * width + x1] * a;
  const lower = levels[y1 * width + x0] * (1 - a) + levels[y1 * width + x1] * a;
  return upper * (1 - b) + lower * b;
}

// The part of a picture that a square needs, grey; averaged in blocks if samples lie apart.
function patchOf(read, width, height, { left, top, side }, samples) {
  const block = Math.max(1, Math.ceil(side / samples));
  const range = (begin, size) => {
    const low = clamp(Math.floor(begin - 2 * block), 0, size - 1);
    const high = Math.max(low + 1, Math.min(size, Math.ceil(begin + side + 2 * block)));
    return [low, high - low];
  };
  const [x, w] = range(left, width), [y, h] = range(top, height);
  const part = { levels: luma(read(x, y, w, h)), width: w, height: h };
  return { patch: reduced(part, block), x, y, block };
}

// Keys' cubic with a = -1/2, as Pillow has it.
function cubic(x) {
  const far = Math.abs(x);
  if (far < 1) return (1.5 * far - 2.5) * far * far + 1;
  return far < 2 ? (((far - 5) * far + 8) * far - 4) * -0.5 : 0;
}

// How `from` levels become FACE_SIZE: for each of these the first that it needs, and the weights.
function bicubicTaps(from) {
  const scale = from / FACE_SIZE, spread = Math.max(scale, 1), finer = 1 / spread;
  return Array.from({ length: FACE_SIZE }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - 2 * spread + 0.5));
    const high = Math.min(from, Math.trunc(centre + 2 * spread + 0.5));
    const place = (_, x) => cubic((x + low - centre + 0.5) * finer);
    const shares = Array.from({ length: high - low }, place);
    const total = shares.reduce((sum, share) => sum + share, 0);
    const whole = (share) => Math.trunc((share / total) * ONE + 0.5 * Math.sign(share));
    return { low, weights: shares.map(whole) };
  });
}

// One level out of those that lie `step` apart from `start` on.
function weighed(levels, start, step, { low, weights }) {
  let sum = ONE / 2;
  weights.forEach((weight, i) => (sum += weight * levels[start + (low + i) * step]));
  return clamp(Math.floor(sum / ONE), 0, WHITE);
}

// Grey levels of a square inside a picture, bicubic: first across, then down. Whole pixels.
function fitted(read, { left, top, side }) {
  if (side === FACE_SIZE) return luma(read(left, top, side, side));
  const taps = bicubicTaps(side), narrow = new Uint8Array(side * FACE_SIZE);
  for (let y = 0; y < side; y += STRIP) {
    const rows = Math.min(STRIP, side - y), levels = luma(read(left, top + y, side, rows));
    for (let j = 0; j < rows; j += 1) {
      taps.forEach((tap, i) => (narrow[(y + j) * FACE_SIZE + i] = weighed(levels, j * side, 1, tap)));
    }
  }
  const level = (_, i) => weighed(narrow, i % FACE_SIZE, FACE_SIZE, taps[Math.floor(i / FACE_SIZE)]);
  return Uint8Array.from({ length: FACE_SIZE * FACE_SIZE }, level);
}

// Grey levels of a square, Uint8Array of FACE_SIZE x FACE_SIZE. `read(left, top, width, height)`
// gives the RGBA bytes of a part of the picture. A square that is `whole` is the picture itself, a
// face already.
export function cropGrey(read, width, height, square) {
  return square.whole ? fitted(read, square) : sampled(read, width, height, square);
}

// The square of a detected face: means over areas, the edge of the picture goes on outside.
function sampled(read, width, height, square) {
  const finer = clamp(Math.ceil(square.side / FACE_SIZE), 1, FINEST);
  const samples = FACE_SIZE * finer;
  const { patch, x, y, block } = patchOf(read, width, height, square, samples);
  const place = (i, begin, edge) => (begin + ((i + 0.5) / samples) * square.side - edge) / block - 0.5;
  const sums = new Float64Array(FACE_SIZE * FACE_SIZE);
  for (let j = 0; j < samples; j += 1) {
    const row = Math.floor(j / finer) * FACE_SIZE, v = place(j, square.top, y);
    for (let i = 0; i < samples; i += 1) {
      sums[row + Math.floor(i / finer)] += bilinear(patch, place(i, square.left, x), v);
    }
  }
  return Uint8Array.from(sums, (sum) => rint(sum / finer ** 2));
}

// The square that a crop rule cuts for a detector's box; without eyes nothing is turned.
export function detectorSquare({ x, y, width, height }, rule) {
  const longer = Math.max(width, height), side = rule.margin * longer;
  const top = y + height / 2 + rule.drop * longer - side / 2;
  return { left: x + width / 2 - side / 2, top, side };
}

// Network input of a grey face: centre, standardise, repeat channels; Float32Array.
export function prepare(grey, { size, channels, mean, std }) {
  const side = Math.min(size, FACE_SIZE), from = Math.floor((FACE_SIZE - side) / 2);
  const cut = new Float64Array(side * side);
  for (let i = 0; i < cut.length; i += 1) {
    cut[i] = grey[(from + Math.floor(i / side)) * FACE_SIZE + from + (i % side)];
  }
  const input = new Float32Array(channels * size * size);
  const [patch, scale] = [{ levels: cut, width: side, height: side }, side / size];
  for (let i = 0; i < input.length; i += 1) {
    const [column, row] = [i % size, Math.floor(i / size) % size];
    const level = bilinear(patch, (column + 0.5) * scale - 0.5, (row + 0.5) * scale - 0.5);
    input[i] = (level / WHITE - mean) / std;
  }
  return input;
}

function softmax(values, temperature) {
  const most = Math.max(...values);
  const powers = Array.from(values, (value) => Math.exp((value - most) / temperature));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

const largest = (values) => values.reduce((best, v, i) => (v > values[best] ? i : best), 0);

// What the outputs of the network mean under its contract. `va` is null and `nearest` -1 where a
// place on the plane is not shown: the nearest cell says it as well.
export function readOut(logits, cosines, contract) {
  const probabilities = softmax(logits, contract.temperature);
  const shown = contract.va && contract.va.shown && cosines.length > 0;
  const weights = shown ? softmax(cosines, contract.va.temperature) : [];
  const expected = (axis) => weights.reduce((sum, w, k) => sum + w * contract.centers[k][axis], 0);
  return {
    probabilities,
    label: largest(logits),
    entropy: -probabilities.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0),
    abstained: Math.max(...probabilities) < contract.abstain_below,
    va: shown ? [expected(0), expected(1)] : null,
    nearest: shown ? largest(cosines) : -1,
  };
}
