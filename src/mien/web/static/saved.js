// Looks that are kept in this browser, and as files that mien edit --expression takes.
import { get, keep } from "./ask.js";
import { addSaved } from "./expressions.js";
import { faceOf } from "./face.js";
import { chooser, make } from "./make.js";
import { onChange, state, step, trying } from "./state.js";

const SHELF = "mien looks";
const read = () => { try { return JSON.parse(localStorage.getItem(SHELF)) ?? []; } catch { return []; } };
const write = (looks) => localStorage.setItem(SHELF, JSON.stringify(looks));

function checked(text, name) {
  let found;
  try { found = JSON.parse(text); } catch { found = null; }
  if (found?.format !== "mien expression" || typeof found.units !== "object") {
    throw new Error(`${name} is no saved look; choose a .json file that was saved here or by mien edit --save-expression`);
  }
  return found;
}

export function buildSaved(panel) {
  const list = make("ul", { class: "looks" });
  const name = make("input", { type: "text", id: "look-name", placeholder: "My look", maxlength: 60 });
  const save = make("button", { class: "primary", onclick: () => trying(async () => {
    const named = encodeURIComponent(name.value.trim() || "My look");
    const found = await get(`steps/${step().number}/expression?face=${state.face}&name=${named}`);
    write([...read().filter((one) => one.name !== found.name), found]);
    name.value = "";
    fill();
  }) }, "Keep this look");
  const load = chooser("Load a file", ".json,application/json", ([file]) => trying(async () => {
    const found = checked(await file.text(), file.name);
    write([...read().filter((one) => one.name !== found.name), found]);
    fill();
    await addSaved(found);
  }), { id: "load-look" });

  function fill() {
    list.replaceChildren(...read().map((one) => make("li", {},
      make("button", { class: "word", onclick: () => addSaved(one), title: "Put it on this face" }, faceOf(one.units), make("span", {}, one.name)),
      make("button", { class: "plain", title: "Save as a file", "aria-label": `Save ${one.name} as a file`,
        onclick: () => keep(new Blob([JSON.stringify(one, null, 1)], { type: "application/json" }), `${one.name.replace(/[^\w-]+/g, "_")}.json`) }, "⤓"),
      make("button", { class: "plain", title: "Forget it", "aria-label": `Forget ${one.name}`,
        onclick: () => { write(read().filter((other) => other.name !== one.name)); fill(); } }, "✕"),
    )));
  }
  panel.append(
    make("p", {}, "Looks stay in this browser until you forget them. As files they work in the shell, too: mien edit --expression FILE.json."),
    make("div", { class: "bar" }, make("label", { for: "look-name", class: "hidden" }, "Name of the look"), name, save, load), list);
  fill();
  onChange(() => { save.disabled = !state.project || state.project.at === 0; });
}
