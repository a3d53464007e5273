// A slider: `input` while it moves, `change` once it rests, and a button that takes it back.
import { make } from "./make.js";

const REST = 350; // ms after which a value that the keyboard set counts as chosen: arrows come one after the other
const DRAGGED = 6; // pixels across after which a finger means the slider; up or down it means the page

let held = null; // what becomes known meanwhile does not take it out of one's hand
for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => { held = null; });

export function slider({ id, label, title, min, max, step, value, start, unit = "", percent = false, icon, moved, rested }) {
  const shown = (v) => (percent ? `${Math.round(100 * v)}\u00a0%` : `${+v.toFixed(1)}${unit}`);
  const input = make("input", { type: "range", id, min, max, step, value });
  const told = make("output", { for: id }, shown(value));
  const back = make("button", { class: "back plain", title: `Take back: ${label}`, "aria-label": `Take back: ${label}` }, "↺");
  const fill = (v) => {
    input.style.setProperty("--at", `${(100 * (v - min)) / (max - min)}%`);
    input.style.setProperty("--from", `${(100 * ((start ?? min) - min)) / (max - min)}%`);
    input.setAttribute("aria-valuetext", shown(v));
  };
  const put = (v) => {
    input.value = v;
    told.value = shown(v);
    fill(v);
  };
  let waiting = 0;
  let keyed = false;
  let finger = null; // that has not said yet whether it means the slider or the page: where it began, and from what value
  const rest = () => {
    clearTimeout(waiting);
    waiting = 0;
    rested(+input.value);
  };
  const move = () => {
    told.value = shown(+input.value);
    fill(+input.value);
    clearTimeout(waiting);
    moved(+input.value);
  };
  input.addEventListener("keydown", () => { keyed = true; });
  input.addEventListener("pointerdown", (event) => {
    keyed = false;
    held = input;
    finger = event.pointerType === "touch" ? { x: event.clientX, from: +input.value, gone: false } : null;
  });
  input.addEventListener("pointermove", (event) => {
    if (!finger || finger.gone || Math.abs(event.clientX - finger.x) < DRAGGED) return;
    finger = null;
    move();
  });
  input.addEventListener("pointerup", () => { if (finger && !finger.gone) { finger = null; move(); } }); // a tap
  input.addEventListener("pointercancel", () => { // the page scrolls
    if (!finger) return;
    finger.gone = true;
    put(finger.from);
  });
  input.addEventListener("input", () => {
    if (finger) put(finger.gone ? finger.from : +input.value);
    else move();
  });
  input.addEventListener("change", () => {
    if (finger?.gone) return put(finger.from);
    finger = null;
    clearTimeout(waiting);
    waiting = keyed ? setTimeout(rest, REST) : 0;
    if (!keyed) rest();
    return undefined;
  });
  input.addEventListener("blur", () => { if (waiting) rest(); });
  back.addEventListener("click", () => rested(null));
  const row = make("div", { class: "slider" },
    make("label", { for: id, title }, icon ?? "", make("span", {}, label)), input, told, back);
  row.set = (v, isSet) => {
    if (finger) finger.from = v;
    if (held !== input && !waiting) put(v);
    row.classList.toggle("set", isSet);
    back.disabled = !isSet;
  };
  row.set(value, false);
  fill(value);
  return row;
}
