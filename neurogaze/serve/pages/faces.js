// Cards of faces: bars, the valence and arousal plane, and what counted.

const SIDE = 48;
// Where a word stands beside its point, so that none meets another: right, down, which end.
const WORD_PLACES = {
  neutral: [0.05, 0.035, "start"], contempt: [0.05, 0.035, "start"], anger: [0.05, 0.035, "start"],
  fear: [-0.05, 0.035, "end"], disgust: [-0.05, 0.035, "end"], sadness: [-0.05, 0.035, "end"],
  happiness: [0.17, -0.05, "end"], surprise: [0, -0.05, "middle"],
};
const SVG = "http://www.w3.org/2000/svg";

export const percent = (p) => `${(100 * p).toFixed(1)} %`;
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function bytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function drawn(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function drawCrop(canvas, grey) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  grey.forEach((level, i) => image.data.set([level, level, level, 255], 4 * i));
  context.putImageData(image, 0, 0);
}

function drawHeat(canvas, heat) {
  const small = element("canvas", { width: SIDE, height: SIDE });
  const image = new ImageData(SIDE, SIDE);
  heat.forEach((level, i) => {
    const green = 140 + 85 * Math.max(0, level / 127.5 - 1);
    image.data.set([255, green, level > 128 ? 60 : 0, 0.78 * level], 4 * i);
  });
  small.getContext("2d").putImageData(image, 0, 0);
  canvas.width = canvas.height = 6 * SIDE;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

// Squares of a grid on the plane, arousal upwards, as attributes of SVG; `centers` are (valence,
// arousal) of its cells, as many along one side as along the other.
export function cellsOf(centers) {
  const side = 2 / Math.max(1, Math.round(Math.sqrt(centers.length)));
  const corner = ([v, a]) => ({ x: v - side / 2, y: -a - side / 2, width: side, height: side });
  return centers.map(corner);
}

function drawPlane(svg, face, { anchors, centers }) {
  const cells = cellsOf(centers);
  const parts = cells.map((cell) => drawn("rect", { ...cell, class: "cell" }));
  const [valence, arousal] = face.nearest || [];
  const near = centers.findIndex(([v, a]) => v === valence && a === arousal);
  if (near >= 0) parts.push(drawn("rect", { ...cells[near], class: "cell near" }));
  for (const [name, v, a] of anchors) {
    parts.push(drawn("circle", { cx: v, cy: -a, r: 0.018, class: "anchor" }));
    const [right, down, end] = WORD_PLACES[name];
    const place = { x: v + right, y: -a + down, "text-anchor": end };
    parts.push(drawn("text", { ...place, class: "word" }, name));
  }
  const axis = (x, y, anchor, text) =>
    parts.push(drawn("text", { x, y, "text-anchor": anchor, class: "axis" }, text));
  axis(-1, 1.14, "start", "unpleasant");
  axis(1, 1.14, "end", "pleasant");
  axis(0, 1.14, "middle", "valence");
  axis(-1.05, 0.96, "end", "calm");
  axis(-1.05, 0.04, "end", "arousal");
  axis(-1.05, -0.9, "end", "excited");
  const [x, y] = face.anchored;
  parts.push(drawn("circle", { cx: x, cy: -y, r: 0.055, class: "ring" }));
  parts.push(drawn("circle", { cx: face.va[0], cy: -face.va[1], r: 0.062, class: "point" }));
  svg.replaceChildren(...parts);
  const number = (value) => value.toFixed(2).replace("-", "−");
  const words = `valence ${number(face.va[0])}, arousal ${number(face.va[1])}`;
  svg.setAttribute("aria-label", `Prototype-space ${words}`);
  return words;
}

function keyed(kind, text) {
  return element("p", {}, element("span", { className: `key ${kind}` }), text);
}

// One card that can be shown another face, so that the camera does not move the focus.
export class FaceCard {
  constructor(about, explain) {
    this.about = about;
    this.node = document.getElementById("face").content.cloneNode(true).firstElementChild;
    this.find = (selector) => this.node.querySelector(selector);
    this.rows = about.emotions.map((name) => {
      const fill = element("div", { className: "fill" });
      const number = element("td");
      const bar = element("td", {}, element("div", { className: "track" }, fill));
      const row = element("tr", {}, element("th", { scope: "row", textContent: name }), bar, number);
      bar.setAttribute("aria-hidden", "true");
      this.find("tbody").append(row);
      return { row, fill, number };
    });
    this.explain = explain;
    this.prepareExplaining();
  }

  prepareExplaining() {
    this.find(".explain").hidden = !this.about.explainer;
    this.button = this.find(".explain button");
    this.button.textContent = `Show ${this.about.explainer}`;
    this.select = this.find("select");
    this.select.append(...this.about.emotions.map((name) => new Option(`for ${name}`, name)));
    this.button.addEventListener("click", () => this.heat(this.find(".heat").hidden));
    this.select.addEventListener("change", () => this.heat(true));
  }

  async heat(wanted) {
    const canvas = this.find(".heat");
    const asked = this.face;
    if (wanted) {
      this.button.disabled = true;
      const found = await this.explain(bytes(asked.crop), this.select.value);
      this.button.disabled = false;
      if (!found || asked !== this.face) return;
      drawHeat(canvas, bytes(found.heat));
      this.find(".note").textContent = found.note;
    }
    canvas.hidden = !wanted;
    this.find(".scale").hidden = !wanted;
    this.button.setAttribute("aria-pressed", String(wanted));
    this.button.textContent = `${wanted ? "Hide" : "Show"} ${this.about.explainer}`;
  }

  show(face, number) {
    this.face = face;
    this.heat(false);
    this.select.value = face.leading;
    this.node.setAttribute("aria-label", `Face ${number}`);
    const sure = face.label ? element("i", { textContent: percent(face.confidence) }) : "";
    const title = element("span", { textContent: capital(face.title) });
    this.find("h2").replaceChildren(element("b", { textContent: String(number) }), title, sure);
    this.find(".sentence").textContent = face.sentence;
    drawCrop(this.find(".crop"), bytes(face.crop));
    this.find(".crop").setAttribute("aria-label", `Face ${number}, as the model sees it`);
    this.showBars(face);
    this.showPlane(face);
  }

  showBars(face) {
    this.rows.forEach(({ row, fill, number }, i) => {
      const probability = face.probabilities[i];
      fill.style.width = `${100 * probability}%`;
      number.textContent = percent(probability);
      row.className = this.about.emotions[i] === face.label ? "top" : "";
    });
    const most = this.about.max_entropy.toFixed(2);
    const entropy = `entropy ${face.entropy.toFixed(2)} of at most ${most} nats`;
    this.find(".certainty").textContent =
      `${capital(face.sureness)}: ${entropy}. Detector score ${face.score.toFixed(2)}.`;
  }

  showPlane(face) {
    const caption = this.find("figcaption");
    const shown = face.va !== null;
    this.find(".plane svg").toggleAttribute("hidden", !shown);
    if (!shown) {
      caption.textContent = this.about.va;
      return;
    }
    const words = drawPlane(this.find(".plane svg"), face, this.about);
    caption.replaceChildren(
      keyed("point", `Prototype-space ${words}: a projection, not a measurement.`),
      keyed("ring", "The emotion words’ own places, weighted by the probabilities."),
      ...(face.nearest ? [keyed("near", "The nearest prototype.")] : []),
    );
  }
}
