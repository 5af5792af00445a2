// From pixels to probabilities, step by step as the Python package does it (deploy/cropping.py,
// faces/preprocessing.py, deploy/recogniser.py), so that both say the same of the same picture.

export const FACE_SIZE = 48; // of the grey picture that a student knows, pixels
const FINEST = 6; // most samples along a side of each pixel; larger faces are averaged before
const WHITE = 255;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Round half to even, as NumPy does.
function rint(value) {
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

// Grey levels of a square, Uint8Array of FACE_SIZE x FACE_SIZE. `read(left, top, width, height)`
// gives the RGBA bytes of a part of the picture.
export function cropGrey(read, width, height, square) {
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

// What the outputs of the network mean under its contract. `va` is null where it is not shown, and
// `nearest` -1 without a grid.
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
    nearest: cosines.length > 0 ? largest(cosines) : -1,
  };
}
