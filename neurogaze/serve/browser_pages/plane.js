// The valence and arousal plane: cells of the grid, the nearest prototype, and a point.

const SVG = "http://www.w3.org/2000/svg";
const UNIT = 100; // user units of one unit of valence; arousal points upwards

function draw(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  parent.append(element);
}

function frame(svg) {
  draw(svg, "rect", { class: "cell", x: -UNIT, y: -UNIT, width: 2 * UNIT, height: 2 * UNIT });
  draw(svg, "line", { class: "axis", x1: -UNIT, x2: UNIT, y1: 0, y2: 0 });
  draw(svg, "line", { class: "axis", x1: 0, x2: 0, y1: -UNIT, y2: UNIT });
  draw(svg, "text", { x: 0, y: UNIT + 22 }, "valence");
  draw(svg, "text", { x: 0, y: -UNIT - 14, transform: "rotate(-90)" }, "arousal");
  for (const end of [-1, 1]) {
    const sign = end < 0 ? "\u22121" : "+1";
    draw(svg, "text", { x: end * UNIT, y: UNIT + 11 }, sign);
    draw(svg, "text", { x: -UNIT - 10, y: -end * UNIT + 3 }, sign);
  }
}

// `centers`: (valence, arousal) of the cells; `nearest`: of them, or -1; `point`: [v, a] or null.
export function drawPlane(svg, centers, nearest, point) {
  svg.replaceChildren();
  const side = (2 * UNIT) / Math.max(1, Math.round(Math.sqrt(centers.length)));
  centers.forEach(([valence, arousal], cell) => {
    const corner = { x: valence * UNIT - side / 2, y: -arousal * UNIT - side / 2 };
    const look = cell === nearest ? "cell nearest" : "cell";
    draw(svg, "rect", { class: look, ...corner, width: side, height: side });
  });
  frame(svg);
  if (point) draw(svg, "circle", { class: "point", cx: point[0] * UNIT, cy: -point[1] * UNIT, r: 5 });
}
