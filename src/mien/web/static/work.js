// What is asked of the photograph: previews while something moves, steps once it rests.
import { drawn, get, post, send } from "./ask.js";
import { changed, notice, state, step, trying, upload } from "./state.js";
import { show, showStep, waitFor } from "./stage.js";

let flying = false;
let wanted = null; // the newest look that nobody has drawn yet
let asked = 0; // steps that were asked for: what was drawn for an earlier one comes too late

/** Draw a look small, without keeping it; of many the last one counts. */
export async function preview(look) {
  wanted = look;
  if (flying) return;
  flying = true;
  try {
    while (wanted) {
      const [one, before] = [wanted, asked];
      wanted = null;
      const blob = await drawn("preview", { face: state.face, look: one, frame: state.frame });
      if (blob && before === asked) await show(blob);
    }
  } catch (error) {
    wanted = null;
    notice(error.message);
  } finally {
    flying = false;
  }
}

/** Ask for a look; it becomes a step, which is shown. `more` may name another model. */
export async function ask(look, note, more = {}) {
  asked += 1;
  wanted = null;
  const named = upload()?.faces.length > 1 ? `face ${state.face}: ${note}` : note;
  try {
    await waitFor(async () => {
      state.project = await post("steps", { face: state.face, look, note: named, ...more });
      changed();
      await showStep();
    });
  } catch (error) {
    if (state.project) { // all as it was before
      changed();
      showStep().catch(() => {});
    }
    throw error;
  }
}

/** The same; what goes wrong is told. */
export const commit = (look, note, more) => trying(() => ask(look, note, more));

/** Go back, forth or to a step. */
export function travel(where) {
  asked += 1;
  wanted = null;
  return trying(async () => {
    const before = step().model;
    state.project = await post("history", where);
    changed();
    await showStep();
    if (step().model !== before) await readFace();
    return true;
  });
}

/** Begin with a photograph. */
export const open = (file) => trying(() => waitFor(async () => {
  const { photo, ...told } = await send("photos", file);
  state.photos[photo] = told;
  await restore();
  if (told.several) notice(`${told.name} holds several pictures; the first of them was taken`);
}));

/** Show what the server has of this browser's. */
export async function restore() {
  const told = await get("session");
  const other = told.photo !== state.photo;
  Object.assign(state, { photo: told.photo, photos: told.photos, clips: told.clips, project: told.project });
  if (other && state.photo) Object.assign(state, { face: state.photos[state.photo].largest, frame: 0 });
  changed();
  if (state.photo) {
    await showStep();
    await readFace();
  }
  return told;
}

/** Ask what the face shows by itself: there its sliders start. */
export async function readFace() {
  const face = state.face;
  const shown = await get(`shown?face=${face}`);
  if (face !== state.face) return; // another has been chosen since
  state.shown = shown;
  changed();
}

/** Go over to another face. */
export const chooseFace = (face) => trying(async () => {
  state.face = face;
  if (state.frame) state.frame = face;
  changed();
  await showStep();
  await readFace();
});
