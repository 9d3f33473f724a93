"use strict";

// Drawn at random for this visit, and gone when the tab is closed; it tells nothing of the rater.
const session = sessionStorage.getItem("session") ?? draw();
const element = (id) => document.getElementById(id);
const patience = 5000; // milliseconds
const buttons = document.querySelectorAll("button");
let trials = [];
let total = 0;
let shownAt = 0;
let ready = false;

function draw() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem("session", text);
  return text;
}

function medium(url) {
  if (!/\.(mp4|webm)$/.test(url)) return Object.assign(new Image(), { src: url, alt: "" });
  const video = document.createElement("video");
  return Object.assign(video, { src: url, muted: true, playsInline: true, preload: "auto" });
}

// A browser that saves power or data may load no video, and say nothing, before it is to play.
function loaded(shown) {
  const isVideo = shown instanceof HTMLVideoElement;
  return new Promise((resolve, reject) => {
    shown.addEventListener(isVideo ? "loadeddata" : "load", resolve, { once: true });
    shown.addEventListener("error", () => reject(new Error("A file cannot be shown.")));
    if (!isVideo) return;
    shown.load();
    setTimeout(resolve, patience);
  });
}

// Videos start together, and again when the longest has ended.
function play(shown) {
  const videos = shown.filter((each) => each instanceof HTMLVideoElement);
  const start = () => videos.forEach((video) => { video.currentTime = 0; video.play(); });
  videos.forEach((video) => video.addEventListener("ended", () => {
    if (videos.every((each) => each.ended)) start();
  }));
  start();
}

async function show() {
  const trial = trials[0];
  ready = false;
  buttons.forEach((button) => { button.disabled = true; });
  element("pair").hidden = element("or").hidden = !trial;
  element("reference").hidden = !trial?.reference;
  if (!trial) {
    element("place").textContent = "";
    element("message").textContent = "That was all. Thank you.";
    return;
  }
  element("place").textContent = `${total - trials.length + 1} of ${total}`;
  element("message").textContent = "Loading…";
  const places = { left: element("left"), right: element("right") };
  if (trial.reference) places.reference = element("reference").firstElementChild;
  const shown = Object.entries(places).map(([side, place]) => {
    const found = medium(trial[side]);
    place.replaceChildren(found);
    return found;
  });
  await Promise.all(shown.map(loaded));
  play(shown);
  element("message").textContent = "";
  buttons.forEach((button) => { button.disabled = false; });
  ready = true;
  shownAt = performance.now();
}

async function choose(choice) {
  if (!ready) return;
  ready = false;
  const milliseconds = Math.round(performance.now() - shownAt);
  const body = JSON.stringify({ session, trial: trials[0].trial, choice, milliseconds });
  const headers = { "Content-Type": "application/json" };
  const response = await fetch("answers", { method: "POST", headers, body });
  if (!response.ok) throw new Error("The answer was not taken. Please reload the page.");
  trials.shift();
  await show();
}

async function begin() {
  const response = await fetch(`trials?session=${session}`);
  if (!response.ok) throw new Error("The study cannot be read.");
  const study = await response.json();
  ({ trials, total } = study);
  element("question").textContent = document.title = study.question;
  await show();
}

function tell(error) {
  const away = error instanceof TypeError;
  element("message").textContent =
    away ? "The study cannot be reached. Please reload the page." : error.message;
}

buttons.forEach((button) => {
  button.addEventListener("click", () => choose(button.dataset.choice).catch(tell));
});
document.addEventListener("keydown", (event) => {
  const choice = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "neither" }[event.key];
  if (!choice) return;
  event.preventDefault();
  if (!event.repeat) choose(choice).catch(tell);
});
begin().catch(tell);
