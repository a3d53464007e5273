// The camera: its pictures come back with the expression that is chosen, one after the other, until one is taken.
import { drawn } from "./ask.js";
import { wordButton } from "./expressions.js";
import { slider } from "./slider.js";
import { changed, look, model, state, step, trying } from "./state.js";
import { commit, open } from "./work.js";
import { noteOf } from "./words.js";

const at = (id) => document.getElementById(id);
const WIDTH = 640;
let stream = null;
let asked = null; // the look that the pictures get
let strength = 1;

const shot = (quality) => new Promise((done) => {
  const video = at("video");
  const canvas = document.createElement("canvas");
  canvas.width = quality > 0.9 ? video.videoWidth : Math.min(WIDTH, video.videoWidth);
  canvas.height = Math.round((canvas.width * video.videoHeight) / video.videoWidth);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  canvas.toBlob(done, "image/jpeg", quality);
});

async function mirror() {
  while (stream) {
    const by = state.project ? step().model : state.about.model;
    const blob = await drawn(`live?model=${encodeURIComponent(by)}&look=${encodeURIComponent(JSON.stringify(asked))}`, await shot(0.85));
    if (!stream || !blob) break;
    const old = at("mirror").src;
    at("mirror").src = URL.createObjectURL(blob);
    URL.revokeObjectURL(old);
    at("mirror").dataset.shown = +(at("mirror").dataset.shown || 0) + 1;
    await new Promise(requestAnimationFrame);
  }
}

/** Offer the words: one at a time, as in a mirror one looks and chooses another. */
function offer() {
  const words = at("live-words");
  const mark = () => {
    for (const one of words.children) one.setAttribute("aria-pressed", asked.words.some((word) => word.name === one.dataset.word));
  };
  const choose = (name) => {
    const shown = asked.words.some((word) => word.name === name);
    asked.words = shown ? [] : [{ name, strength, only: [] }];
    mark();
  };
  words.replaceChildren(...model().words.map((name) => wordButton(name, () => choose(name))));
  const share = slider({ id: "live-share", label: "Strength", min: 0, max: 1, step: 0.05, value: strength, percent: true,
    moved: (v) => { strength = v; for (const word of asked.words) word.strength = v; },
    rested: (v) => { strength = v ?? 1; for (const word of asked.words) word.strength = strength; share.set(strength, strength !== 1); } });
  at("live-strength").replaceChildren(share);
  mark();
}

function leave() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  at("live").hidden = true;
  changed();
}

async function begin() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280 } });
  } catch {
    throw new Error("there is no camera, or this page may not use it; allow it beside the address, or choose a photograph");
  }
  asked = { ...look(), like: null, calm: 0 }; // a camera's picture has no face that was read before
  at("video").srcObject = stream;
  await at("video").play();
  at("live").hidden = false;
  changed();
  offer();
  await mirror();
}

export function buildCamera() {
  for (const button of document.querySelectorAll(".camera")) button.addEventListener("click", () => trying(begin).then(() => { if (stream) leave(); }));
  at("shoot").addEventListener("click", () => trying(async () => {
    const blob = await shot(0.95);
    const given = asked;
    leave();
    await open(new File([blob], "camera.jpg", { type: "image/jpeg" }));
    if (given.words.length) await commit({ ...given, like: null }, given.words.map(noteOf).join(" · "));
  }));
  at("leave").addEventListener("click", leave);
}
