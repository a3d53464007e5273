// The same step by every model, side by side.
import { picture } from "./ask.js";
import { make } from "./make.js";
import { look, onChange, state, step, trying } from "./state.js";
import { commit, readFace } from "./work.js";
import { abilitiesOf } from "./words.js";

export function buildModels(panel) {
  const cards = make("div", { class: "models" });
  const all = make("button", { class: "primary", onclick: () => compare() }, "Show them side by side");
  panel.append(make("p", {}, "Every model does it its own way. fields, with which the page begins, moves the photograph's own pixels and can be asked for most."), all, cards);
  let drawn = -1;
  let made = "";

  async function compare() {
    drawn = step().number;
    for (const card of cards.children) {
      const told = card.querySelector(".told");
      told.textContent = "…";
      try {
        const blob = await picture(`steps/${drawn}/picture?frame=${state.face}&side=320&model=${encodeURIComponent(card.dataset.model)}&of=${state.photo}`);
        card.querySelector("img").src = URL.createObjectURL(blob);
        told.textContent = "";
      } catch (error) {
        card.querySelector("img").removeAttribute("src");
        told.textContent = error.message;
      }
    }
  }
  onChange(() => {
    if (!state.project) return;
    const names = Object.keys(state.about.models);
    if (made !== names.join()) {
      made = names.join();
      cards.replaceChildren(...names.map((name) => make("button", {
        class: "model", "data-model": name, title: state.about.models[name].paper,
        onclick: () => trying(async () => { await commit(look(), `by ${name}`, { model: name }); await readFace(); }),
      }, make("img", { alt: "" }), make("b", {}, name), make("small", {}, abilitiesOf(state.about.models[name])), make("span", { class: "told" }))));
    }
    for (const card of cards.children) card.setAttribute("aria-pressed", card.dataset.model === step().model);
    if (drawn !== step().number) {
      drawn = -1;
      for (const card of cards.children) card.querySelector("img").removeAttribute("src");
    }
  });
}
