// What is asked of the photograph: previews while something moves, steps once it rests.
import { drawn, get, post, send } from "./ask.js";
import { changed, keepForWindow, notice, ofWindow, state, step, trying, upload } from "./state.js";
import { sayMoving, show, showStep, waitFor } from "./stage.js";

let flying = false;
let wanted = null; // the newest look that nobody has drawn yet
let asked = 0; // steps that were asked for: what was drawn for an earlier one comes too late
let line = Promise.resolve(); // one step is asked for after the other, as they were chosen

/** Draw a look small, without keeping it; of many the last one counts. */
export async function preview(look) {
  wanted = look;
  if (flying) return;
  flying = true;
  try {
    while (wanted) {
      const [one, before] = [wanted, asked];
      wanted = null;
      const blob = await drawn("preview", { photo: state.photo, face: state.face, look: one, frame: state.frame });
      if (!blob || before !== asked) continue;
      await show(blob);
      sayMoving();
    }
  } catch (error) {
    wanted = null;
    notice(error.message);
  } finally {
    flying = false;
  }
}

/** Send what changes the project, after all that was sent before; show what came of it, if it is the last. */
function inTurn(path, body) {
  const [mine, photo] = [(asked += 1), state.photo];
  wanted = null;
  const sent = line.then(async () => {
    const project = await post(path, { photo, ...body });
    if (state.photo !== photo) return; // another has been opened since
    state.project = project;
    if (mine !== asked) return;
    state.asked = null;
    changed();
    await showStep();
  });
  line = sent.catch(() => {});
  return sent;
}

/** Ask for a look; it becomes a step, which is shown. `more` may name another model. */
export async function ask(look, note, more = {}) {
  const named = upload()?.faces.length > 1 ? `face ${state.face}: ${note}` : note;
  const mine = (state.asked = { face: state.face, look });
  changed(); // at once, as it will be
  try {
    await waitFor(() => inTurn("steps", { face: mine.face, look, note: named, ...more }));
  } catch (error) {
    if (state.project && (state.asked === mine || !state.asked)) { // all as it was before
      state.asked = null;
      changed();
      showStep().catch(() => {});
    }
    throw error;
  }
}

/** The same; what goes wrong is told. */
export const commit = (look, note, more) => trying(() => ask(look, note, more));

/** Go back, forth or to a step. */
export const travel = (where) => trying(async () => {
  const before = step().model;
  state.asked = null;
  await inTurn("history", where);
  if (step().model !== before) await readFace();
  return true;
});

/** Begin with a photograph. */
export const open = (file) => trying(() => waitFor(async () => {
  const { photo, ...told } = await send("photos", file);
  await restore(photo);
  if (told.several) notice(`${told.name} holds several pictures; the first of them was taken`);
}));

/** Go on with a photograph that was open before, from where it was left. */
export const reopen = (photo) => trying(() => waitFor(async () => {
  await post(`photos/${photo}/open`, {});
  await restore(photo);
}));

/** Learn what this browser's other windows have opened. */
export async function refresh() {
  const { photos, projects } = await get("session");
  Object.assign(state, { photos, opened: Object.keys(projects) });
  changed();
}

/** Show what the server has of this browser's: a photograph, that which this window had open, or the last. */
export async function restore(photo) {
  const [told, own] = [await get("session"), ofWindow()];
  const shown = [photo, own.photo, told.photo].find((one) => one in told.projects) ?? null;
  const other = shown !== state.photo;
  Object.assign(state, { photo: shown, photos: told.photos, opened: Object.keys(told.projects), clips: told.clips, project: told.projects[shown] ?? null, asked: null });
  if (other && shown) {
    const { faces, largest } = told.photos[shown];
    Object.assign(state, { face: shown === own.photo && own.face <= faces.length ? own.face : largest, frame: 0, shown: null });
    keepForWindow({ photo: shown, face: state.face });
  }
  changed();
  if (state.photo) {
    await showStep();
    await readFace();
  }
  return told;
}

/** Ask what the face shows by itself: there its sliders start. */
export async function readFace() {
  const { face, photo } = state;
  const shown = await get(`shown?face=${face}&of=${photo}`);
  if (face !== state.face || photo !== state.photo) return; // another has been chosen since
  state.shown = shown;
  changed();
}

/** Go over to another face. */
export const chooseFace = (face) => trying(async () => {
  Object.assign(state, { face, shown: null });
  keepForWindow({ face });
  if (state.frame) state.frame = face;
  changed();
  await showStep();
  await readFace();
});
