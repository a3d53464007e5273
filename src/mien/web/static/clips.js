// Clips: a look for all of a clip, a clip that drives a photograph, a photograph that goes from step to step.
import { send } from "./ask.js";
import { begin, placeOf } from "./jobs.js";
import { chips, chooser, make } from "./make.js";
import { slider } from "./slider.js";
import { changed, look, onChange, state, trying } from "./state.js";
import { PARTS } from "./words.js";

const card = (title, ...parts) => make("section", { class: "card" }, make("h2", {}, title), ...parts);

/** A choice of the clips that were sent, and a button to send one. */
function clipChooser(id, label) {
  const list = make("select", { id, "aria-label": label });
  const choose = chooser("Choose a clip", "video/*,.mkv,.avi", ([file]) => trying(async () => {
    const { clip, name } = await send("clips", file);
    state.clips[clip] = name;
    changed();
    list.value = clip;
  }));
  const fill = () => {
    const value = list.value;
    list.replaceChildren(...Object.entries(state.clips).map(([clip, name]) => make("option", { value: clip }, name)));
    if (value) list.value = value;
    list.hidden = !list.options.length;
  };
  onChange(fill);
  return { row: make("div", { class: "bar" }, list, choose), value: () => list.value };
}

export function buildClips(bench) {
  const needed = (ok, text) => { if (!ok) throw new Error(text); };
  bench.append(byLook(needed), byClip(needed), bySteps(needed));
}

function byLook(needed) {
  const clip = clipChooser("edit-clip", "Clip to change");
  return card("Give a clip a look", make("p", {}, "Every frame of it gets what the photograph has now: expressions, movements, eyes and head. The sound stays."), clip.row,
    make("button", { class: "primary", id: "edit-clip-go", onclick: () => trying(() => {
      needed(clip.value(), "choose a clip first");
      needed(state.project, "change a photograph first; its look is what the clip gets");
      return begin({ kind: "edit", photo: state.photo, clip: clip.value(), look: look() });
    }) }, "Change the clip"), placeOf("edit"));
}

function byClip(needed) {
  const clip = clipChooser("driver", "Clip that drives");
  let [strength, part] = [1, ""];
  const parts = chips("Of", Object.entries(PARTS), "", (value) => { part = value; }, "driver-part");
  const share = slider({ id: "driver-strength", label: "Strength", min: 0, max: 1, step: 0.05, value: 1, percent: true,
    moved: (v) => { strength = v; }, rested: (v) => { strength = v ?? 1; share.set(strength, strength !== 1); } });
  return card("Let a clip drive the photograph", make("p", {}, "The face in your photograph does what the face in the clip does; the clip's sound goes along."), clip.row, share, parts,
    make("button", { class: "primary", id: "drive-go", onclick: () => trying(() => {
      needed(clip.value(), "choose a clip first");
      needed(state.photo, "choose a photograph first, under Photograph");
      return begin({ kind: "drive", photo: state.photo, face: state.photo, driver: clip.value(), strength, only: part ? [part] : [] });
    }) }, "Drive the photograph"), placeOf("drive"));
}

function bySteps(needed) {
  const chosen = new Set();
  const list = make("div", { class: "examples", role: "group", "aria-label": "Steps that it goes through" });
  const how = { seconds: 1, form: ".mp4", loop: true, blinks: true };
  const seconds = slider({ id: "step-seconds", label: "Seconds a step", min: 0.2, max: 4, step: 0.2, value: 1, unit: " s", moved: () => {}, rested: (v) => { how.seconds = v ?? 1; seconds.set(how.seconds, how.seconds !== 1); } });
  const check = (name, text) => make("label", { class: "check" }, make("input", { type: "checkbox", checked: how[name], onchange: (event) => { how[name] = event.target.checked; } }), ` ${text}`);
  const forms = chips("Form", [[".mp4", "MP4"], [".gif", "GIF"], [".webp", "WebP"]], ".mp4", (value) => { how.form = value; }, "clip-form");
  let photo = null;
  let touched = false; // until somebody chooses, it goes from the photograph to the last step
  onChange(() => {
    if (!state.project) return;
    if (photo !== state.photo) { photo = state.photo; touched = false; }
    const { steps } = state.project;
    if (!touched) { chosen.clear(); chosen.add(steps[0].number).add(steps.at(-1).number); }
    list.replaceChildren(...steps.map((step) => make("button", {
      "aria-pressed": chosen.has(step.number), title: step.note, "aria-label": step.note,
      onclick: (event) => {
        touched = true;
        if (!chosen.delete(step.number)) chosen.add(step.number);
        event.currentTarget.setAttribute("aria-pressed", chosen.has(step.number));
      },
    }, make("img", { src: `api/steps/${step.number}/picture?frame=${state.face}&side=128&of=${state.photo}`, alt: "", width: 72, height: 72, loading: "lazy" }))));
  });
  return card("Move between steps", make("p", {}, "The photograph goes from one of its steps to the next. Choose which."), list, seconds,
    make("div", { class: "bar" }, check("loop", "Back to the beginning"), check("blinks", "Blinks")), forms,
    make("button", { class: "primary", id: "animate-go", onclick: () => trying(() => {
      needed(state.project, "choose a photograph first, under Photograph");
      const steps = state.project.steps.map((one) => one.number).filter((number) => chosen.has(number));
      needed(steps.length > 1, "choose two steps at least; change the photograph, and each change is one");
      return begin({ kind: "animate", photo: state.photo, face: state.face, steps, seconds: how.seconds, fps: 25, loop: how.loop, blinks: how.blinks, size: how.form === ".mp4" ? 1280 : 480, form: how.form });
    }) }, "Make the clip"), placeOf("animate"));
}
