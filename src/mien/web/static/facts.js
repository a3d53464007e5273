// What is known of the picture: an estimate of its expression, and what its file says of how it was made.
import { get } from "./ask.js";
import { make } from "./make.js";
import { onChange, state, step, trying, upload } from "./state.js";
import { WORDS } from "./words.js";

export function buildFacts(panel) {
  const bars = make("div", { class: "bars" });
  const made = make("div");
  panel.append(
    make("h2", {}, "What a reader sees"),
    make("p", { class: "small" }, "An estimate by a net that makes no pictures and knows eight words. It is often wrong, of real faces most; take it as a hint."),
    bars, make("h2", {}, "Where the photograph is from"), made);
  let told = "";
  onChange(() => {
    if (!state.project || panel.hidden) return;
    const key = `${state.photo} ${step().number} ${state.face}`;
    if (key === told) return;
    told = key;
    trying(async () => {
      const { before, after } = await get(`steps/${step().number}/estimate?face=${state.face}&of=${state.photo}`);
      bars.replaceChildren(...Object.keys(WORDS).filter((word) => word in before).map((word) => {
        const bar = (share, name) => {
          const drawn = make("i", { class: name });
          drawn.style.width = `${100 * share}%`;
          return drawn;
        };
        return make("div", { class: "row" }, make("b", {}, WORDS[word]), make("span", { class: "track" }, bar(before[word], "was"), bar(after[word], "now")),
          make("em", {}, `${Math.round(100 * before[word])} → ${Math.round(100 * after[word])} %`));
      }));
      const facts = await get(`photos/${state.photo}/facts`);
      const { name, width, height } = upload();
      const found = facts.credentials;
      made.replaceChildren(
        make("p", {}, `${name}, ${width} × ${height} pixels.`),
        make("p", {}, facts.stamp || "Its metadata do not say that mien made or changed it."),
        make("p", {}, !facts.signed ? "It bears no content credentials." : found ? `Signed by ${found.signer} (${found.generator}): ${found.said}.`
          : "It bears content credentials, which this page cannot read; pip install 'mien[provenance]'."));
    });
  });
}
