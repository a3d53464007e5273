// Ways of changing: expressions by a click, each with its strength, of all the face or of a part.
import { faceOf } from "./face.js";
import { chips, make } from "./make.js";
import { slider } from "./slider.js";
import { look, model, onChange, state } from "./state.js";
import { ask, commit, preview } from "./work.js";
import { HINTS, noteOf, PARTS, WORDS, wordOf } from "./words.js";

let part = "";

const isClass = (name) => typeof name === "string" && state.about.classes.includes(name);
const partOf = (word) => word.only[0] ?? "";
const same = (one, name, where) => one.name === name && partOf(one) === where;

/** Put an expression into a look, or take it out again. Of classes one is shown in each part. */
function toggle(name) {
  const now = look();
  const where = isClass(name) ? part : "";
  const word = { name, strength: 1, only: where ? [where] : [] };
  const shown = now.words.some((one) => same(one, name, where));
  now.words = now.words.filter((one) => !same(one, name, where) && !(isClass(name) && isClass(one.name) && partOf(one) === where));
  if (!shown) {
    if (isClass(name) && !where) now.words = [word, ...now.words]; // parts and shapes stay on top of it
    else now.words.push(word);
  }
  return commit(now, shown ? `${wordOf(name)} off` : noteOf(word));
}

export const isShown = (saved) => look().words.some(({ name }) => name.name === saved.name);

/** Add a saved expression, or take it out again. */
export function toggleSaved(expression) {
  const now = look();
  const { name, origin, units, gaze, turn, roll } = expression;
  if (isShown(expression)) {
    now.words = now.words.filter((word) => word.name.name !== name);
    return ask(now, `${name} off`);
  }
  now.words.push({ name: { name, origin: `${origin ?? ""}`, units, gaze, turn, roll }, strength: 1, only: [] });
  return ask(now, name);
}

/** A button with a drawn face, of a word. */
export function wordButton(name, onclick) {
  const units = state.about.words[name] ?? {};
  return make("button", { class: "word", "aria-pressed": "false", "data-word": name, title: HINTS[name] ?? name, onclick }, faceOf(units), make("span", {}, WORDS[name] ?? name));
}

const button = (name) => wordButton(name, () => toggle(name));

export function buildExpressions(panel) {
  const classes = make("div", { class: "words" });
  const shapes = make("div", { class: "words" });
  const strengths = make("div", { class: "strengths" });
  const parts = chips("Of", Object.entries(PARTS), "", (value) => { part = value; mark(); }, "part");
  const calm = slider({
    id: "calm", label: "Calm", title: "Takes the face's own expression off (neutral)", min: 0, max: 1, step: 0.05, value: 0, percent: true,
    moved: (v) => preview({ ...look(), calm: v }),
    rested: (v) => commit({ ...look(), calm: v ?? 0 }, v === null ? "calm taken back" : `calm ${Math.round(100 * v)} %`),
  });
  panel.append(make("h2", {}, "Feelings"), parts, classes, strengths, calm, make("h2", {}, "Shapes and sounds"), shapes);
  let offered = "";
  let rows = [];
  let listed = "";

  function mark() {
    const now = look();
    for (const one of panel.querySelectorAll(".word")) {
      const name = one.dataset.word;
      one.setAttribute("aria-pressed", now.words.some((w) => same(w, name, isClass(name) ? part : "")));
    }
  }

  onChange(() => {
    if (!state.project) return;
    const able = model();
    if (offered !== able.words.join()) {
      offered = able.words.join();
      classes.replaceChildren(...["neutral", ...able.words].filter(isClass).map(button));
      shapes.replaceChildren(...able.words.filter((name) => !isClass(name)).map(button));
      shapes.previousSibling.hidden = !shapes.childElementCount;
      parts.hidden = !able.parts;
      if (!able.parts) part = "";
      calm.hidden = !able.units.length;
    }
    const now = look();
    const names = now.words.map((w) => `${wordOf(w.name)}|${partOf(w)}`).join();
    if (names !== listed) {
      listed = names;
      rows = now.words.map((word, k) => {
        const label = [wordOf(word.name), ...word.only.map((one) => PARTS[one].toLowerCase())].join(", ");
        const at = (v) => {
          const changed = look();
          if (changed.words[k]) changed.words[k].strength = v;
          return changed;
        };
        return slider({
          id: `strength-${k}`, label, title: "Its strength", min: 0, max: 1, step: 0.05, value: word.strength, percent: true,
          moved: (v) => preview(at(v)),
          rested: (v) => {
            if (v !== null) return commit(at(v), noteOf({ ...word, strength: v }));
            const less = look();
            less.words.splice(k, 1);
            return commit(less, `${wordOf(word.name)} off`);
          },
        });
      });
      strengths.replaceChildren(...rows);
    }
    now.words.forEach((word, k) => rows[k].set(word.strength, true));
    calm.set(now.calm, now.calm !== 0);
    mark();
  });
}
