// The page: a picture or the camera, a square over the face, and what the model says of it.

import * as ort from "./ort.js";
import { FACE_SIZE, cropGrey, detectorSquare, prepare, readOut } from "./arithmetic.js";
import { drawPlane } from "./plane.js";
import { defaultSquare, followSquare } from "./square.js";

const LARGEST_BYTES = 50e6;
const LARGEST_PIXELS = 50e6;
const LARGEST_SHOWN = 1280; // pixels of the longer side on the screen
const at = (id) => document.getElementById(id);
const picture = at("picture");
const source = document.createElement("canvas"); // the picture in all its pixels
const pixels = source.getContext("2d", { willReadFrequently: true });
let demo, session, square, stream, wishes = 0, busy = false, stale = false;

function say(text, bad = false) {
  at("status").textContent = text;
  at("status").className = bad ? "bad" : "";
}

async function bytesOf(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name} cannot be read (${answer.status})`);
  return new Uint8Array(await answer.arrayBuffer());
}

async function start() {
  demo = JSON.parse(new TextDecoder().decode(await bytesOf("demo.json")));
  describe();
  say(`Loading the model (${(demo.bytes / 1e6).toFixed(1)} MB)`);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1; // more would need cross-origin isolation
  ort.env.wasm.wasmBinary = await bytesOf("ort.wasm");
  session = await ort.InferenceSession.create(await bytesOf(demo.model));
  say("Ready: choose a picture, drop one, or use the camera");
  document.body.dataset.ready = "yes";
}

function describe() {
  at("stamp").textContent = demo.stamp;
  at("stamp").hidden = !demo.stamp;
  const { precision, weights_sha256: weights, version } = demo.contract;
  const model = `student ${weights.slice(0, 12)}, ${precision}, neurogaze ${version}`;
  at("about").textContent = `Model: ${model}. Runs on ONNX Runtime Web (MIT licence).`;
  for (const name of demo.contract.labels) {
    const row = document.createElement("li");
    row.dataset.emotion = name;
    for (const part of ["name", "track", "value"]) {
      const cell = document.createElement("span");
      cell.className = part;
      row.append(cell);
    }
    row.children[0].textContent = name;
    row.children[1].append(document.createElement("i"));
    row.children[1].firstChild.className = "fill";
    at("bars").append(row);
  }
}

// Give the page a picture: an ImageBitmap or a frame of the camera. Alpha lies on white.
function take(image, width, height) {
  const fresh = source.width !== width || source.height !== height || !square;
  if (fresh) [source.width, source.height] = [width, height];
  pixels.fillStyle = "#fff";
  pixels.fillRect(0, 0, width, height);
  pixels.drawImage(image, 0, 0, width, height);
  at("invite").hidden = true;
  return fresh;
}

async function open(file) {
  stopCamera();
  try {
    if (file.size > LARGEST_BYTES) throw new Error(`is larger than ${LARGEST_BYTES / 1e6} MB`);
    const image = await createImageBitmap(file, { colorSpaceConversion: "none" }).catch(() => {
      throw new Error("is no picture that this browser can read");
    });
    const [width, height] = [image.width, image.height];
    if (width * height > LARGEST_PIXELS) throw new Error("has more than 50 million pixels");
    take(image, width, height);
    image.close();
    square = defaultSquare(width, height);
    await look();
  } catch (error) {
    say(`${file.name} ${error.message}`, true);
  }
}

// Show the picture with its square and ask the model; while it works, later wishes become one.
async function look() {
  if (!square) return;
  show();
  if (!session) return;
  stale = true;
  if (busy) return;
  busy = true;
  try {
    while (stale) {
      stale = false;
      await ask();
    }
  } catch (error) {
    say(`The model failed: ${error.message}`, true);
  } finally {
    busy = false;
  }
}

function show() {
  const scale = Math.min(1, LARGEST_SHOWN / Math.max(source.width, source.height));
  [picture.width, picture.height] = [source.width * scale, source.height * scale];
  const context = picture.getContext("2d");
  context.scale(scale, scale);
  context.drawImage(source, 0, 0);
  context.fillStyle = "rgb(0 0 0 / 0.45)";
  context.fillRect(0, 0, source.width, source.height);
  const { left, top, side } = square;
  context.save();
  context.beginPath();
  context.rect(left, top, side, side);
  context.clip();
  context.drawImage(source, 0, 0);
  context.restore();
  const line = Math.max(source.width, source.height) / 300;
  for (const [width, colour] of [[2.2 * line, "#000"], [line, "#fff"]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.strokeRect(left, top, side, side);
  }
  context.fillStyle = "#fff";
  context.fillRect(left + side - 4 * line, top + side - 4 * line, 6 * line, 6 * line);
}

async function ask() {
  const read = (...part) => pixels.getImageData(...part).data;
  const asked = square;
  const grey = cropGrey(read, source.width, source.height, asked);
  const { preprocessing } = demo.contract;
  const shape = [1, preprocessing.channels, preprocessing.size, preprocessing.size];
  const images = new ort.Tensor("float32", prepare(grey, preprocessing), shape);
  const begin = performance.now();
  const found = await session.run({ images });
  const spent = performance.now() - begin;
  const cosines = found.cosines ? found.cosines.data : [];
  showCrop(grey, asked);
  showAnswer(readOut(found.logits.data, cosines, demo.contract), spent);
}

function showCrop(grey, { left, top, side }) {
  const [x, y, wide] = [left, top, side].map(Math.round);
  at("where").textContent = `square of ${wide} pixels at ${x}, ${y}`;
  const shown = new ImageData(FACE_SIZE, FACE_SIZE);
  grey.forEach((level, i) => shown.data.set([level, level, level, 255], 4 * i));
  at("crop").getContext("2d").putImageData(shown, 0, 0);
}

function showAnswer(answer, spent) {
  const { labels } = demo.contract;
  const what = answer.abstained ? "Not sure enough to say" : labels[answer.label];
  at("result").hidden = false;
  at("label").textContent = what;
  const entropy = `entropy ${answer.entropy.toFixed(2)} of ${Math.log(labels.length).toFixed(2)} nats`;
  at("facts").textContent = `perceived expression; ${entropy}; ${spent.toFixed(0)} ms`;
  answer.probabilities.forEach((p, i) => {
    const row = at("bars").children[i];
    row.className = i === answer.label ? "first" : "";
    row.querySelector(".fill").style.width = `${100 * p}%`;
    row.querySelector(".value").textContent = `${(100 * p).toFixed(1)} %`;
  });
  showVA(answer);
  if (!stream) say(`${what}. Drag the square to read another face`);
}

function showVA({ va, nearest }) {
  const { centers, va: readout } = demo.contract;
  drawPlane(at("plane"), centers, nearest, va);
  const cell = nearest < 0 ? "" : ` Nearest prototype: cell ${nearest + 1} of ${centers.length}.`;
  const place = va && `valence ${va[0].toFixed(2)}, arousal ${va[1].toFixed(2)}: a projection, not a measurement.`;
  const absent = readout ? `Not shown: ${readout.reason}.` : "Not shown: this model has no read-out of them.";
  at("va").textContent = (place || absent) + cell;
}

function end(opened) {
  if (opened) opened.getTracks().forEach((track) => track.stop());
}

// A newer wish for the camera, or another picture, takes back one that waits for leave.
async function startCamera() {
  const wish = ++wishes;
  const video = document.createElement("video");
  let opened;
  try {
    opened = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    [video.srcObject, video.muted, video.playsInline] = [opened, true, true];
    if (wish === wishes) await video.play();
  } catch {
    end(opened);
    return wish === wishes && say("The camera cannot be used: none is there, or it was not allowed", true);
  }
  if (wish !== wishes) return end(opened);
  stream = opened;
  at("camera").textContent = "Stop the camera";
  say("Camera: drag the square over the face");
  while (stream === opened) {
    const fresh = take(video, video.videoWidth, video.videoHeight);
    if (fresh) square = defaultSquare(source.width, source.height);
    await look();
    await new Promise(requestAnimationFrame);
  }
}

function stopCamera() {
  wishes++;
  end(stream);
  stream = undefined;
  at("camera").textContent = "Use the camera";
}

async function find() {
  const [face] = await new FaceDetector({ maxDetectedFaces: 1 }).detect(source);
  if (!face) return say("No face found: drag the square over it", true);
  square = detectorSquare(face.boundingBox, demo.contract.crop);
  await look();
}

at("file").addEventListener("change", (event) => {
  if (event.target.files.length) open(event.target.files[0]);
  event.target.value = "";
});
at("camera").addEventListener("click", () => (stream ? stopCamera() : startCamera()));
at("whole").addEventListener("click", () => {
  if (!square) return say("Choose a picture first", true);
  square = defaultSquare(source.width, source.height);
  look();
});
at("find").hidden = !("FaceDetector" in window);
at("find").addEventListener("click", () => square && find().catch((e) => say(e.message, true)));
for (const kind of ["dragover", "dragleave", "drop"]) {
  at("drop").addEventListener(kind, (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
  });
}
followSquare(picture, source, () => square, (next) => {
  square = next;
  look();
});
start().catch((error) => say(`The page cannot start: ${error.message}`, true));
