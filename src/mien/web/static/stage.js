// The picture: what is shown, the faces in it, before and after.
import { picture } from "./ask.js";
import { make } from "./make.js";
import { onChange, state, step, trying, upload } from "./state.js";
import { chooseFace } from "./work.js";

const at = (id) => document.getElementById(id);
const sides = [640, 960, 1280];
let shows = 0;
let fetched = 0; // pictures of steps that were asked for
let working = 0;
let blinking = 0;
let peeking = false;
const MOVING = ""; // in the list of steps: a preview
const HOLD = 300; // ms after which a pointer that rests on the picture holds it

/** The pixels that a picture needs here. */
export function side() {
  const needed = Math.max(at("stage").clientWidth, at("stage").clientHeight) * Math.min(devicePixelRatio, 2);
  return sides.find((one) => one >= needed) || 1280;
}

export const pathOf = (number, frame = state.frame, more = "") =>
  `steps/${number}/picture?frame=${frame}&side=${side()}&of=${state.photo}${more}`;

/** Show a picture, once it can be drawn; of two that come at once the later. */
export async function show(blob, image = at("after")) {
  const mine = (shows += 1);
  const [url, old] = [URL.createObjectURL(blob), image.src];
  const loaded = new Image();
  loaded.src = url;
  await loaded.decode();
  if (image === at("after") && mine !== shows) return URL.revokeObjectURL(url);
  image.src = url;
  image.dataset.shown = +(image.dataset.shown || 0) + 1;
  if (old.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(old), 1000);
  return undefined;
}

/** Show the step that is chosen, unless another has been by the time its picture is here. */
export async function showStep() {
  const [number, mine] = [step().number, (fetched += 1)];
  const blob = await picture(pathOf(number));
  if (mine !== fetched) return;
  await show(blob);
  if (mine !== fetched) return;
  at("after").dataset.step = number;
  if (!at("comparing").hidden) await showCompared();
}

/** Say that something is worked on, if it takes a while. */
export async function waitFor(work) {
  working += 1;
  setTimeout(() => { at("busy").hidden = !working; }, 250);
  try {
    await work();
    return true;
  } finally {
    working -= 1;
    if (!working) at("busy").hidden = true;
  }
}

function drawBoxes() {
  const photo = upload();
  const several = photo && photo.faces.length > 1 && at("comparing").hidden;
  at("boxes").classList.toggle("row", !!state.frame); // where one face is all that is shown, the others in a corner
  at("boxes").replaceChildren(...(several ? photo.faces : []).map(([x, y, w, h], k) => {
    const box = make("button", {
      class: "box", "aria-pressed": state.face === k + 1, "aria-label": `Face ${k + 1}`, title: `Change face ${k + 1}`,
      onclick: () => chooseFace(k + 1),
    }, `${k + 1}`);
    if (!state.frame) for (const [name, value] of Object.entries({ left: x, top: y, width: w, height: h })) box.style[name] = `${100 * value}%`;
    return box;
  }));
}

async function showCompared() {
  const [one, other] = [at("one"), at("other")];
  const [before, after] = await Promise.all([picture(pathOf(one.value)), picture(pathOf(other.value || step().number))]);
  await show(before, at("before"));
  await show(after);
}

function listSteps() {
  const [first, last] = [at("one").value, step().number];
  for (const [list, value] of [[at("one"), first || 0], [at("other"), last]]) {
    list.replaceChildren(...state.project.steps.map((s) => make("option", { value: s.number }, s.note || `step ${s.number}`)));
    list.value = value;
    if (!list.value) list.selectedIndex = 0;
  }
  at("other").append(make("option", { value: MOVING, hidden: true }, "what moves now"));
}

/** Say, where two steps are compared, that the one after is not a step yet. */
export function sayMoving() {
  if (!at("comparing").hidden) at("other").value = MOVING;
}

function compare(on) {
  at("compare").setAttribute("aria-pressed", on);
  for (const id of ["comparing", "before", "wipe"]) at(id).hidden = !on;
  at("flicker").checked = false;
  flicker(false);
  drawBoxes();
  if (!on) return showStep();
  listSteps();
  wipe(50);
  return showCompared();
}

function wipe(share) {
  at("wipe").value = share;
  at("before").style.clipPath = `inset(0 ${100 - share}% 0 0)`;
  at("picture").style.setProperty("--wipe", `${share}%`);
}

function flicker(on) {
  clearInterval(blinking);
  at("wipe").hidden = on || at("comparing").hidden;
  at("picture").classList.toggle("flicker", on);
  let before = true;
  if (on) blinking = setInterval(() => { wipe((before = !before) ? 100 : 0); }, 500);
  else if (!at("comparing").hidden) wipe(50);
}

/** While a key or the picture is held: the photograph itself. */
export function peek(on) {
  if (!state.project || !at("comparing").hidden) return;
  at("before").hidden = !on;
  peeking = on;
  if (on) {
    wipe(100);
    trying(async () => show(await picture(pathOf(state.project.steps[0].number)), at("before")));
  }
}

export const peeks = () => peeking;

/** A finger or a button held on the picture shows the photograph; what is let go then chooses no face. */
function buildHolding() {
  const held = at("picture");
  let waiting = 0;
  let was = false;
  held.addEventListener("pointerdown", (event) => {
    was = false;
    if (event.button || event.target === at("wipe")) return;
    waiting = setTimeout(() => { was = true; peek(true); }, HOLD);
  });
  const leave = () => {
    clearTimeout(waiting);
    if (was && peeking) peek(false);
  };
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) held.addEventListener(name, leave);
  held.addEventListener("click", (event) => { if (was) event.stopPropagation(); }, true);
  held.addEventListener("contextmenu", (event) => { if (was || peeking) event.preventDefault(); });
  held.addEventListener("dragstart", (event) => event.preventDefault());
}

export function buildStage() {
  buildHolding();
  // What has the focus is scrolled to where the picture, which stays in view on a telephone, does not cover it.
  new ResizeObserver(([{ target }]) => document.documentElement.style.setProperty("--desk", `${target.offsetHeight}px`)).observe(document.querySelector(".desk"));
  at("compare").addEventListener("click", () => trying(() => compare(at("comparing").hidden)));
  at("wipe").addEventListener("input", () => wipe(+at("wipe").value));
  at("flicker").addEventListener("change", () => flicker(at("flicker").checked));
  for (const id of ["one", "other"]) at(id).addEventListener("change", () => trying(showCompared));
  at("zoom").addEventListener("click", () => trying(async () => {
    state.frame = state.frame ? 0 : state.face;
    drawBoxes();
    at("zoom").setAttribute("aria-pressed", !!state.frame);
    await showStep();
  }));
  onChange(() => {
    const open = !!state.project && at("live").hidden; // while the camera is on, that is all there is
    at("empty").hidden = !!state.project || !at("live").hidden;
    for (const id of ["picture", "bar", "history", "panel"]) at(id).hidden = !open;
    document.body.classList.toggle("open", open);
    if (!open) return;
    const photo = upload();
    at("picture").style.setProperty("--ratio", state.frame ? "1" : `${photo.width / photo.height}`);
    at("undo").disabled = state.project.at === 0;
    at("redo").disabled = state.project.at === state.project.steps.length - 1;
    at("zoom").setAttribute("aria-pressed", !!state.frame);
    if (!at("comparing").hidden) listSteps();
    drawBoxes();
  });
}
