// Ways of changing: single movements of the face, of both sides or of one; eyes and head.
import { faceOf } from "./face.js";
import { make } from "./make.js";
import { slider } from "./slider.js";
import { look, model, onChange, state } from "./state.js";
import { commit, preview } from "./work.js";
import { PARTS, UNITS } from "./words.js";

const AWAY = 30; // degrees that eyes are turned at most: further, little but white is left
const SIDES = { "": "", L: " (their left)", R: " (their right)" };

/** What a face shows of a unit before sliders are moved: its own, and what expressions ask for. */
function base(unit, side, now) {
  const both = side ? [side] : ["L", "R"];
  const values = both.map((one) => {
    let value = (state.shown?.[`${unit}${one}`] ?? 0) * (1 - now.calm);
    for (const { name, strength, only } of now.words) {
      if (only.length && !only.includes(state.about.units[unit].part)) continue;
      const known = typeof name === "string" ? state.about.words[name] : name.units;
      const asked = known[`${unit}${one}`] ?? known[unit];
      if (asked !== undefined || state.about.classes.includes(name)) value = strength * (asked ?? 0);
    }
    return value;
  });
  return Math.max(...values);
}

const valueOf = (unit, side, now) =>
  now.units[`${unit}${side}`] ?? (side ? now.units[unit] : now.units[`${unit}L`]) ?? base(unit, side, now);
const isSet = (unit, side, now) => (side ? [unit, `${unit}${side}`] : [unit, `${unit}L`, `${unit}R`]).some((one) => one in now.units);

function changedUnits(unit, side, value) {
  const now = look();
  const own = now.units[unit];
  if (own !== undefined && side) Object.assign(now.units, { [`${unit}L`]: own, [`${unit}R`]: own });
  for (const old of side ? [unit, `${unit}${side}`] : [unit, `${unit}L`, `${unit}R`]) delete now.units[old];
  if (value !== null) now.units[`${unit}${side}`] = value;
  return now;
}

export function buildMuscles(panel) {
  let split = false;
  let sided = false; // whether one side was asked for alone when last looked
  const none = make("p", {}, "This model moves no single muscles; fields does.");
  const sides = make("label", { class: "check" },
    make("input", { type: "checkbox", id: "sides", onchange: (event) => { split = event.target.checked; fill(); } }), " Left and right apart");
  const reset = make("button", { onclick: () => commit({ ...look(), units: {} }, "movements taken back") }, "Take all back");
  const groups = make("div");
  panel.append(none, make("div", { class: "bar" }, sides, reset), groups);
  let made = "";
  let rows = [];

  function fill() {
    const able = model();
    const asked = look();
    const all = [asked.units, ...asked.words.map(({ name }) => (typeof name === "string" ? state.about.words[name] : name.units) ?? {})];
    const apart = all.some((units) => able.units.some((unit) => (units[`${unit}L`] ?? 0) !== (units[`${unit}R`] ?? 0)));
    if (apart && !sided) split = sides.firstChild.checked = true; // a wink is shown as one
    sided = apart;
    none.hidden = able.units.length > 0;
    none.nextSibling.hidden = groups.hidden = !able.units.length;
    groups.ariaBusy = !state.shown; // sliders start at what the face shows
    const key = `${able.units} ${split && able.sides}`;
    if (made !== key) {
      made = key;
      rows = [];
      groups.replaceChildren(...["brows", "eyes", "mouth"].map((part) => {
        const units = able.units.filter((unit) => state.about.units[unit].part === part);
        const group = make("fieldset", {}, make("legend", {}, PARTS[part]));
        for (const unit of units) {
          for (const side of split && able.sides ? ["L", "R"] : [""]) {
            const label = UNITS[unit] + SIDES[side];
            const row = slider({
              id: `au${unit}${side}`, label, title: `AU${unit}${side}: ${state.about.units[unit].name}`, min: 0, max: 5, step: 0.1, value: 0,
              icon: faceOf({ [`${unit}${side}`]: 5 }, 30),
              moved: (v) => preview(changedUnits(unit, side, v)),
              rested: (v) => commit(changedUnits(unit, side, v), v === null ? `${label} taken back` : `${label} ${v.toFixed(1)}`),
            });
            rows.push([unit, side, row]);
            group.append(row);
          }
        }
        return group;
      }));
      sides.hidden = !able.sides;
    }
    const now = look();
    for (const [unit, side, row] of rows) row.set(valueOf(unit, side, now), isSet(unit, side, now));
    reset.disabled = !Object.keys(now.units).length;
  }
  onChange(() => state.project && fill());
}

const ANGLES = [
  ["gaze", 0, AWAY, "Eyes", "left – right", "degrees to the picture's right", "left", "right"],
  ["gaze", 1, AWAY, "Eyes", "down – up", "degrees up", "down", "up"],
  ["turn", 0, 15, "Head", "left – right", "degrees to the picture's right", "left", "right"],
  ["turn", 1, 9, "Head", "up – down", "degrees down", "up", "down"],
  ["roll", null, 10, "Head", "tilted", "degrees clockwise", "tilted left", "tilted right"],
];

export function buildAngles(panel) {
  const withAngle = (name, k, v) => {
    const now = look();
    if (k === null) now[name] = v;
    else now[name][k] = v;
    return now;
  };
  const rows = ANGLES.map(([name, k, most, what, way, title, less, more]) => slider({
    id: `${name}${k ?? ""}`, label: `${what}, ${way}`, title, min: -most, max: most, step: 1, value: 0, start: 0, unit: "°",
    moved: (v) => preview(withAngle(name, k, v)),
    rested: (v) => commit(withAngle(name, k, v ?? 0), v === null ? `${what} straight` : `${what} ${v < 0 ? less : more} ${Math.abs(v)}°`),
  }));
  const pad = make("div", { class: "pad", title: "Drag to where the eyes shall look", "aria-hidden": "true" }, make("i"));
  const lookAt = (event) => {
    const box = pad.getBoundingClientRect();
    const share = (v) => Math.round(AWAY * Math.min(1, Math.max(-1, 2 * v - 1)));
    return { ...look(), gaze: [share((event.clientX - box.left) / box.width), -share((event.clientY - box.top) / box.height)] };
  };
  const place = ([x, y]) => { pad.style.setProperty("--x", `${50 + (50 * x) / AWAY}%`); pad.style.setProperty("--y", `${50 - (50 * y) / AWAY}%`); };
  pad.addEventListener("pointerdown", (event) => { pad.setPointerCapture(event.pointerId); pad.dispatchEvent(new PointerEvent("pointermove", event)); });
  pad.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    const asked = lookAt(event);
    place(asked.gaze);
    preview(asked);
  });
  pad.addEventListener("pointerup", (event) => { const asked = lookAt(event); commit(asked, `Eyes ${asked.gaze.join("°, ")}°`); });
  const none = make("p", {}, "This model turns neither eyes nor head; fields does.");
  panel.append(none, pad, ...rows);
  onChange(() => {
    if (!state.project) return;
    const [able, now] = [model(), look()];
    ANGLES.forEach(([name, k], at) => {
      const value = k === null ? now[name] : now[name][k];
      rows[at].set(value, value !== 0);
      rows[at].hidden = name === "gaze" ? !able.gaze : !able.head;
    });
    pad.hidden = !able.gaze;
    none.hidden = able.gaze || able.head;
    place(now.gaze);
  });
}
