// The square over the face: where it begins, and how pointer and keys move it.

import { rint } from "./arithmetic.js";

const LEAST = 8; // pixels of the smallest square
const GRIP = 0.15; // share of the side around the lower right corner that resizes
const STEP = 0.02; // of the side, for one press of a key

// The largest square in the middle; all of a picture that is square. It is taken as a face crop, and
// no longer is once somebody moves it.
export function defaultSquare(width, height) {
  const side = Math.min(width, height);
  return { left: rint((width - side) / 2), top: rint((height - side) / 2), side, whole: true };
}

// Keep a square inside a picture, in whole pixels.
export function confined({ left, top, side }, width, height) {
  const within = (value, most) => Math.round(Math.min(Math.max(value, 0), most));
  const fit = Math.round(Math.min(Math.max(side, LEAST), width, height));
  return { left: within(left, width - fit), top: within(top, height - fit), side: fit };
}

function place(canvas, picture, event) {
  const box = canvas.getBoundingClientRect();
  const scale = picture.width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
}

// What a drag that begins at (x, y) does: resize at the corner, move inside, draw a new one outside.
function dragged(begin, x, y) {
  const [dx, dy] = [x - begin.left, y - begin.top];
  const { side } = begin;
  const corner = Math.max(Math.abs(dx - side), Math.abs(dy - side)) <= GRIP * side;
  if (corner) return (u, v) => ({ ...begin, side: Math.max(u - begin.left, v - begin.top) });
  const inside = dx >= 0 && dy >= 0 && dx <= side && dy <= side;
  if (inside) return (u, v) => ({ left: u - dx, top: v - dy, side });
  return (u, v) => {
    const drawn = Math.max(Math.abs(u - x), Math.abs(v - y));
    return { left: u < x ? x - drawn : x, top: v < y ? y - drawn : y, side: drawn };
  };
}

function pressed(key, { left, top, side }) {
  const step = Math.max(1, STEP * side);
  const moves = {
    ArrowLeft: { left: left - step, top, side },
    ArrowRight: { left: left + step, top, side },
    ArrowUp: { left, top: top - step, side },
    ArrowDown: { left, top: top + step, side },
    "+": { left: left - step / 2, top: top - step / 2, side: side + step },
    "-": { left: left + step / 2, top: top + step / 2, side: side - step },
  };
  return moves[key];
}

// Call `put` with a new square of `picture`, which `canvas` shows smaller, whenever pointer or keys
// move the one that `get` returns.
export function followSquare(canvas, picture, get, put) {
  let move;
  const set = (next) => put(confined(next, picture.width, picture.height));
  canvas.addEventListener("pointerdown", (event) => {
    if (!get()) return;
    move = dragged(get(), ...place(canvas, picture, event));
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => move && set(move(...place(canvas, picture, event))));
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => (move = undefined));
  }
  canvas.addEventListener("keydown", (event) => {
    const next = get() && pressed(event.key, get());
    if (!next) return;
    event.preventDefault();
    set(next);
  });
}
