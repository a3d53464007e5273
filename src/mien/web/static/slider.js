// A slider: `input` while it moves, `change` once it rests, and a button that takes it back.
import { make } from "./make.js";

const REST = 350; // ms after which a value that the keyboard set counts as chosen: arrows come one after the other

export function slider({ id, label, title, min, max, step, value, start, unit = "", percent = false, icon, moved, rested }) {
  const shown = (v) => (percent ? `${Math.round(100 * v)} %` : `${+v.toFixed(1)}${unit}`);
  const input = make("input", { type: "range", id, min, max, step, value });
  const told = make("output", { for: id }, shown(value));
  const back = make("button", { class: "back plain", title: `Take back: ${label}`, "aria-label": `Take back: ${label}` }, "↺");
  const fill = (v) => {
    input.style.setProperty("--at", `${(100 * (v - min)) / (max - min)}%`);
    input.style.setProperty("--from", `${(100 * ((start ?? min) - min)) / (max - min)}%`);
    input.setAttribute("aria-valuetext", shown(v));
  };
  let waiting = 0;
  let keyed = false;
  const rest = () => {
    clearTimeout(waiting);
    waiting = 0;
    rested(+input.value);
  };
  input.addEventListener("keydown", () => { keyed = true; });
  input.addEventListener("pointerdown", () => { keyed = false; });
  input.addEventListener("input", () => {
    told.value = shown(+input.value);
    fill(+input.value);
    clearTimeout(waiting);
    moved(+input.value);
  });
  input.addEventListener("change", () => {
    clearTimeout(waiting);
    waiting = keyed ? setTimeout(rest, REST) : 0;
    if (!keyed) rest();
  });
  input.addEventListener("blur", () => { if (waiting) rest(); });
  back.addEventListener("click", () => rested(null));
  const row = make("div", { class: "slider" },
    make("label", { for: id, title }, icon ?? "", make("span", {}, label)), input, told, back);
  row.set = (v, isSet) => {
    if (!waiting && document.activeElement !== input || +input.value !== v) {
      input.value = v;
      told.value = shown(v);
      fill(v);
    }
    row.classList.toggle("set", isSet);
    back.disabled = !isSet;
  };
  row.set(value, false);
  fill(value);
  return row;
}
