// The steps as a strip of small pictures.
import { make } from "./make.js";
import { onChange, state, upload } from "./state.js";
import { travel } from "./work.js";

const WHOSE = /^face \d+: /; // its picture says that

/** The face that each step changed, and so shows. */
function facesOf(steps) {
  let face = upload().largest;
  return steps.map(({ looks }, k) => {
    const before = k ? steps[k - 1].looks : looks;
    face = +(Object.keys(looks).find((one) => JSON.stringify(looks[one]) !== JSON.stringify(before[one])) ?? face);
    return face;
  });
}

export function buildHistory() {
  const strip = document.getElementById("history");
  const known = new Map(); // by photograph and step: its button, whose picture stays
  onChange(() => {
    if (!state.project) return;
    const faces = facesOf(state.project.steps);
    const parts = state.project.steps.map((step, k) => {
      const key = `${state.photo} ${step.number}`;
      if (!known.has(key)) {
        const image = make("img", { alt: "", loading: "lazy", width: 64, height: 64,
          src: `api/steps/${step.number}/picture?frame=${faces[k]}&side=128&of=${state.photo}` });
        known.set(key, make("button", { title: step.note, onclick: () => travel({ go: step.number }) }, image, make("span", {}, step.note.replace(WHOSE, ""))));
      }
      const button = known.get(key);
      button.setAttribute("aria-current", k === state.project.at ? "step" : "false");
      button.classList.toggle("undone", k > state.project.at);
      return make("li", {}, button);
    });
    strip.replaceChildren(...parts);
    for (const key of [...known.keys()].slice(0, -200)) known.delete(key);
    const now = strip.querySelector("[aria-current=step]");
    if (now) strip.scrollTo({ left: now.offsetLeft - strip.clientWidth / 2, behavior: "auto" });
  });
}
