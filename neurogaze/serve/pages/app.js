// The page: a picture goes in, cards of faces come out. Nothing is fetched from elsewhere.

import { FaceCard, capital, percent } from "/page/faces.js";

const get = (id) => document.getElementById(id);
const EVERY_MS = 500;
const WIDEST_STILL = 960;

// First bytes of the formats that the program reads.
const SIGNATURES = [
  /^\x89PNG/, /^\xff\xd8\xff/, /^RIFF....WEBP/s, /^GIF8/, /^BM/, /^II\*\0/, /^MM\0\*/,
];

let about = null;
let cards = [];
let stream = null;
let asking = false;
let latest = 0;
let wishes = 0; // for the camera: a newer one, or another picture, takes back one that waits
let said = "";
let stillAddress = "";

async function ask(address, body) {
  let reply;
  try {
    const type = body.type || "application/octet-stream";
    reply = await fetch(address, { method: "POST", body, headers: { "content-type": type } });
  } catch {
    throw new Error("The page lost its program. Start it again in the terminal.");
  }
  const found = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(found.error || `The program answered ${reply.status}.`);
  return found;
}

function say(text) {
  if (text !== said) get("status").textContent = said = text;
}

function complain(text) {
  get("error").textContent = text;
  get("error").hidden = !text;
}

async function explain(crop, emotion) {
  try {
    complain("");
    return await ask(`/api/explain/${emotion}`, new Blob([crop]));
  } catch (error) {
    complain(error.message);
    return null;
  }
}

function place(box, width, height, number) {
  const made = document.createElement("div");
  made.className = "box";
  const [left, top, wide, high] = box;
  const share = (value, whole) => `${(100 * value) / whole}%`;
  made.style.left = share(left, width);
  made.style.top = share(top, height);
  made.style.width = share(wide, width);
  made.style.height = share(high, height);
  const tag = document.createElement("span");
  tag.textContent = number;
  made.append(tag);
  return made;
}

function inWords(answer) {
  if (!answer.faces.length) return "No face was found in this picture.";
  const more = answer.found - answer.faces.length;
  const count = answer.found === 1 ? "1 face" : `${answer.found} faces`;
  const [face] = answer.faces;
  const what = face.label ? `perceived ${face.label}, ${percent(face.confidence)}` : face.title;
  const first = answer.found === 1 ? what : `the largest: ${what}`;
  return `${count}; ${first}${more > 0 ? `; the ${more} smallest are not judged` : ""}.`;
}

function show(answer) {
  const { faces, width, height } = answer;
  get("boxes").replaceChildren(...faces.map((f, i) => place(f.box, width, height, i + 1)));
  while (cards.length > faces.length) cards.pop().node.remove();
  while (cards.length < faces.length) {
    const card = new FaceCard(about, explain);
    cards.push(card);
    get("faces").append(card.node);
  }
  faces.forEach((face, i) => cards[i].show(face, i + 1));
  get("empty").hidden = faces.length > 0;
  say(inWords(answer));
}

function clear() {
  get("boxes").replaceChildren();
  cards.forEach((card) => card.node.remove());
  cards = [];
  get("empty").hidden = false;
}

function showView(filled) {
  get("view").hidden = !filled;
  get("invite").hidden = filled;
  get("drop").classList.toggle("filled", filled);
}

function showStill(blob) {
  URL.revokeObjectURL(stillAddress);
  stillAddress = URL.createObjectURL(blob);
  const still = get("still");
  still.onload = () => showView(true);
  still.onerror = () => showView(false); // the program may read what the browser cannot draw
  still.src = stillAddress;
  still.hidden = false;
  get("live").hidden = true;
}

// Judge a picture; an answer that comes after a newer question is dropped.
async function judge(blob, live = false) {
  const turn = ++latest;
  if (!live) say("Looking …");
  try {
    const answer = await ask("/api/answer", blob);
    if (turn !== latest) return;
    complain("");
    show(answer);
  } catch (error) {
    if (turn !== latest) return;
    clear();
    say("");
    complain(error.message);
  }
}

// Why a file is not even sent; "" where it is. The program checks all of it again.
async function refusal(file) {
  if (file.size > about.limits.bytes) {
    return `The file is larger than ${about.limits.bytes / 1e6} MB. Choose a smaller picture.`;
  }
  const start = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  const text = String.fromCharCode(...start);
  if (SIGNATURES.some((signature) => signature.test(text))) return "";
  return "The file is no picture that can be read. Choose a PNG, JPEG, WebP, GIF, BMP or TIFF.";
}

async function take(file) {
  if (!file || !about) return;
  stopCamera();
  clear();
  complain("");
  const turn = ++latest;
  const refused = await refusal(file);
  if (turn !== latest) return;
  if (refused) {
    say("");
    showView(false);
    complain(refused);
    return;
  }
  showStill(file);
  judge(file);
}

function end(opened) {
  if (opened) opened.getTracks().forEach((track) => track.stop());
}

async function startCamera() {
  complain("");
  const live = get("live");
  const wish = ++wishes;
  let opened = null;
  try {
    if (!navigator.mediaDevices) throw new Error("browsers allow it on this computer or over https only");
    opened = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" }, audio: false });
    if (wish !== wishes) return end(opened);
    live.srcObject = opened;
    await live.play();
  } catch (error) {
    end(opened);
    if (wish === wishes) complain(`The camera cannot be used: ${error.message || error.name}.`);
    return;
  }
  if (wish !== wishes) return end(opened);
  stream = opened;
  clear();
  live.hidden = false;
  get("still").hidden = true;
  showView(true);
  cameraButtons(true);
  say("The camera is on. Nothing is judged until you ask.");
  get("shot").focus();
}

function cameraButtons(on) {
  get("camera").hidden = on;
  for (const id of ["shot", "steady", "stop"]) get(id).hidden = !on;
  get("always").checked = false;
}

function stopCamera() {
  wishes++;
  if (!stream) return;
  end(stream);
  stream = null;
  latest++;
  get("live").srcObject = null;
  cameraButtons(false);
  showView(false);
  clear();
  say("The camera is off.");
}

async function moment() {
  const live = get("live");
  if (!stream || asking || !live.videoWidth) return;
  asking = true;
  const scale = Math.min(1, WIDEST_STILL / live.videoWidth);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(scale * live.videoWidth);
  canvas.height = Math.round(scale * live.videoHeight);
  canvas.getContext("2d").drawImage(live, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  if (stream && blob) await judge(blob, true);
  asking = false;
}

function listenToDrops() {
  const drop = get("drop");
  const stop = (event) => event.preventDefault();
  for (const name of ["dragover", "drop"]) window.addEventListener(name, stop);
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, () => drop.classList.add("over"));
  }
  for (const name of ["dragleave", "drop"]) {
    drop.addEventListener(name, () => drop.classList.remove("over"));
  }
  drop.addEventListener("drop", (event) => take(event.dataTransfer.files[0]));
  window.addEventListener("paste", (event) => take(event.clipboardData.files[0]));
}

function tell(facts) {
  about = facts;
  get("stamp").hidden = !facts.stamp;
  get("stamp").textContent = facts.stamp
    ? `${capital(facts.stamp)}: this model was trained on drawn faces; what it says shows only that the page works.`
    : "";
  get("reports").hidden = !facts.reports;
  get("notice").textContent = facts.notice;
  for (const [name, value] of facts.facts) {
    const [term, said] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, said.textContent] = [name, value];
    get("facts").append(term, said);
  }
  say("Ready.");
}

async function start() {
  get("file").addEventListener("change", (event) => {
    take(event.target.files[0]);
    event.target.value = "";
  });
  get("camera").addEventListener("click", startCamera);
  get("stop").addEventListener("click", stopCamera);
  get("shot").addEventListener("click", moment);
  listenToDrops();
  try {
    tell(await (await fetch("/api/model")).json());
  } catch {
    complain("The page lost its program. Start it again in the terminal.");
    return;
  }
  setInterval(() => get("always").checked && moment(), EVERY_MS);
}

start();
