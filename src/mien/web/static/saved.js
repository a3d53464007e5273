// Looks that are kept in this browser, and as files that mien edit --expression takes.
import { get, keep } from "./ask.js";
import { isShown, toggleSaved } from "./expressions.js";
import { faceOf } from "./face.js";
import { chooser, make } from "./make.js";
import { onChange, state, step, trying } from "./state.js";

const SHELF = "mien looks";
const LARGEST = 65536; // bytes of a file
const write = (looks) => localStorage.setItem(SHELF, JSON.stringify(looks));

/** Whether something is a look as files hold it: names are words, units and angles are numbers. */
function isLook(found) {
  const number = (value) => Number.isFinite(value);
  const angles = (value) => value === null || value === undefined || (Array.isArray(value) && value.length === 2 && value.every(number));
  return found?.format === "mien expression" && typeof found.name === "string" && found.name !== "" && found.name.length <= 80
    && found.units !== null && typeof found.units === "object" && !Array.isArray(found.units) && Object.values(found.units).every(number)
    && angles(found.gaze) && angles(found.turn) && (found.roll === null || found.roll === undefined || number(found.roll));
}

/** The looks that are kept in this browser. */
export function kept() {
  try {
    return JSON.parse(localStorage.getItem(SHELF)).filter(isLook);
  } catch {
    return []; // nothing was kept yet, or somebody else wrote there
  }
}

async function readLook(file) {
  let found = null;
  if (file.size <= LARGEST) try { found = JSON.parse(await file.text()); } catch { /* told below */ }
  if (!isLook(found)) throw new Error(`${file.name} is no saved look; choose a .json file that was saved here or by mien edit --save-expression`);
  return found;
}

export function buildSaved(panel) {
  const list = make("ul", { class: "looks" });
  const name = make("input", { type: "text", id: "look-name", placeholder: "My look", maxlength: 60, onkeydown: (event) => { if (event.key === "Enter" && !save.disabled) save.click(); } });
  const save = make("button", { class: "primary", onclick: () => trying(async () => {
    const named = encodeURIComponent(name.value.trim() || "My look");
    const found = await get(`steps/${step().number}/expression?face=${state.face}&name=${named}&of=${state.photo}`);
    write([...kept().filter((one) => one.name !== found.name), found]);
    name.value = "";
    fill();
  }) }, "Keep this look");
  const load = chooser("Load a file", ".json,application/json", ([file]) => trying(async () => {
    const found = await readLook(file);
    if (!isShown(found)) await toggleSaved(found); // which says what is wrong in it, before it is kept
    write([...kept().filter((one) => one.name !== found.name), found]);
    fill();
  }), { id: "load-look" });

  function fill() {
    list.replaceChildren(...kept().map((one) => make("li", {},
      make("button", { class: "word", "aria-pressed": !!state.project && isShown(one), onclick: () => trying(() => toggleSaved(one)), title: "Put it on this face, or take it off" }, faceOf(one.units), make("span", {}, one.name)),
      make("button", { class: "plain", title: "Save as a file", "aria-label": `Save ${one.name} as a file`,
        onclick: () => keep(new Blob([JSON.stringify(one, null, 1)], { type: "application/json" }), `${one.name.replace(/[^\w-]+/g, "_")}.json`) }, "⤓"),
      make("button", { class: "plain", title: "Forget it", "aria-label": `Forget ${one.name}`,
        onclick: () => { write(kept().filter((other) => other.name !== one.name)); fill(); } }, "✕"),
    )));
  }
  panel.append(
    make("p", {}, "Looks stay in this browser until you forget them. As files they work in the shell, too: mien edit --expression FILE.json."),
    make("div", { class: "bar" }, make("label", { for: "look-name", class: "hidden" }, "Name of the look"), name, save, load), list);
  fill();
  onChange(() => {
    save.disabled = !state.project || state.project.at === 0;
    fill();
  });
}
