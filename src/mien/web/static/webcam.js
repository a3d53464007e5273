// The camera: its pictures come back with the expression that is chosen, one after the other, until one is taken.
import { drawn } from "./ask.js";
import { look, state, step, trying } from "./state.js";
import { open } from "./work.js";

const at = (id) => document.getElementById(id);
const WIDTH = 640;
let stream = null;

const shot = (quality) => new Promise((done) => {
  const video = at("video");
  const canvas = document.createElement("canvas");
  canvas.width = quality > 0.9 ? video.videoWidth : Math.min(WIDTH, video.videoWidth);
  canvas.height = Math.round((canvas.width * video.videoHeight) / video.videoWidth);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  canvas.toBlob(done, "image/jpeg", quality);
});

async function mirror(asked) {
  while (stream) {
    const model = state.project ? step().model : state.about.model;
    const blob = await drawn(`live?model=${encodeURIComponent(model)}&look=${encodeURIComponent(JSON.stringify(asked))}`, await shot(0.85));
    if (!stream || !blob) break;
    const old = at("mirror").src;
    at("mirror").src = URL.createObjectURL(blob);
    URL.revokeObjectURL(old);
    at("mirror").dataset.shown = +(at("mirror").dataset.shown || 0) + 1;
    await new Promise(requestAnimationFrame);
  }
}

function leave() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  at("live").hidden = true;
  at("empty").hidden = !!state.project;
}

export function buildCamera() {
  at("camera").addEventListener("click", () => trying(async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280 } });
    } catch {
      throw new Error("there is no camera, or this page may not use it; allow it beside the address, or choose a photograph");
    }
    at("video").srcObject = stream;
    await at("video").play();
    at("empty").hidden = true;
    at("live").hidden = false;
    await mirror({ ...look(), like: null, calm: 0 });
  }).then(() => { if (stream) leave(); }));
  at("shoot").addEventListener("click", () => trying(async () => {
    const blob = await shot(0.95);
    leave();
    await open(new File([blob], "camera.jpg", { type: "image/jpeg" }));
  }));
  at("leave").addEventListener("click", leave);
}
