// What the page knows, and who wants to hear of changes.

export const state = {
  about: null, // models, words, units, limits
  photo: null, // the name of the photograph that is worked on
  photos: {}, // by name: size, faces
  opened: [], // the names of those that were worked on, the newest last
  clips: {},
  project: null, // steps, and which is shown
  asked: null, // the face and look asked for last, until they are a step: what is chosen next adds to them
  face: 1, // the face that is changed
  frame: 0, // what is shown: 0 all of it, else a face
  shown: null, // units that the face shows by itself, by unit and side; null until they are known
};

const listeners = [];
export const onChange = (listener) => listeners.push(listener);
export const changed = () => listeners.forEach((listener) => listener());

export const step = () => state.project.steps[state.project.at];
export const upload = () => state.photos[state.photo];
export const model = () => state.about.models[state.project ? step().model : state.about.model];

const nothing = { calm: 0, like: null, words: [], units: {}, gaze: [0, 0], turn: [0, 0], roll: 0 };

/** What is asked of the face that is changed: a copy, to be changed and asked for. */
export function look() {
  const asked = state.asked?.face === state.face ? state.asked.look : state.project && step().looks[state.face];
  return structuredClone(asked || nothing);
}

const WINDOW = "mien window"; // a reload finds the window as it was; another window of this browser has its own

/** What this window had open: photograph, face, bench, way. */
export function ofWindow() {
  try {
    return JSON.parse(sessionStorage.getItem(WINDOW)) || {};
  } catch {
    return {};
  }
}

export const keepForWindow = (more) => sessionStorage.setItem(WINDOW, JSON.stringify({ ...ofWindow(), ...more }));

export function notice(text) {
  const line = document.getElementById("notice");
  line.querySelector("span").textContent = text || "";
  line.hidden = !text;
}

/** Do something; what goes wrong is told in the page's line, which is empty where nothing does. */
export async function trying(work) {
  try {
    notice("");
    return await work();
  } catch (error) {
    notice(error.message);
    return undefined;
  }
}
