// Ways of changing: another photograph's expression, at a strength.
import { send } from "./ask.js";
import { PICTURES, chips, chooser, make } from "./make.js";
import { slider } from "./slider.js";
import { waitFor } from "./stage.js";
import { look, model, onChange, state, trying } from "./state.js";
import { commit, preview } from "./work.js";
import { PARTS } from "./words.js";

export function buildExample(panel) {
  const choose = chooser("Choose a photograph", PICTURES, ([file]) => trying(() => waitFor(async () => {
    const { photo, ...told } = await send("photos?example=1", file);
    state.photos[photo] = told;
    await take(photo, told.largest);
  })), { id: "like" });
  const take = (photo, face) => commit({ ...look(), like: { photo, face, strength: 1, only: [] } }, `like ${state.photos[photo].name}`);
  const known = make("div", { class: "examples" });
  const withLike = (more) => {
    const now = look();
    return { ...now, like: { ...now.like, ...more } };
  };
  const share = slider({
    id: "share", label: "Strength", min: 0, max: 1, step: 0.05, value: 1, percent: true,
    moved: (v) => preview(withLike({ strength: v })),
    rested: (v) => (v === null ? commit({ ...look(), like: null }, "example off") : commit(withLike({ strength: v }), `example ${Math.round(100 * v)} %`)),
  });
  const parts = chips("Of", Object.entries(PARTS), "", (value) => commit(withLike({ only: value ? [value] : [] }), `example, ${PARTS[value].toLowerCase()}`), "like-part");
  panel.append(make("p", {}, "Takes over the expression of another face, yours or anybody's; who it is does not matter."), choose, known, share, parts);
  onChange(() => {
    if (!state.project) return;
    const { like } = look();
    const offered = Object.entries(state.photos).flatMap(([name, photo]) => photo.faces.map((_, k) => [name, photo, k]));
    if (known.childElementCount !== offered.length || known.dataset.of !== Object.keys(state.photos).join()) known.replaceChildren(...offered.map(([name, photo, k]) => make("button", {
      "data-photo": name, "data-face": k + 1, title: `${photo.name}, face ${k + 1}`, "aria-label": `${photo.name}, face ${k + 1}`,
      onclick: () => take(name, k + 1),
    }, make("img", { src: `api/photos/${name}?frame=${k + 1}&side=128`, alt: "", width: 72, height: 72 }))));
    known.dataset.of = Object.keys(state.photos).join();
    for (const button of known.children) button.setAttribute("aria-pressed", like?.photo === button.dataset.photo && like.face === +button.dataset.face);
    share.hidden = !like;
    parts.hidden = !like || !model().parts;
    if (like) {
      share.set(like.strength, true);
      parts.querySelector(`input[value="${like.only[0] ?? ""}"]`).checked = true;
    }
  });
}
