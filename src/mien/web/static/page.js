// The page put together: benches, the ways of changing, keys, what is dropped and pasted, and saving.
import { download, get } from "./ask.js";
import { buildClips } from "./clips.js";
import { buildExample } from "./example.js";
import { buildExpressions } from "./expressions.js";
import { faceOf } from "./face.js";
import { buildFacts } from "./facts.js";
import { buildHistory } from "./history.js";
import { resume } from "./jobs.js";
import { PICTURES, chips, chooser, make, tabs } from "./make.js";
import { buildMany } from "./many.js";
import { buildModels } from "./models.js";
import { buildAngles, buildMuscles } from "./muscles.js";
import { buildSaved } from "./saved.js";
import { buildStage, peek, peeks } from "./stage.js";
import { changed, keepForWindow, notice, ofWindow, onChange, state, step, trying, upload } from "./state.js";
import { buildTable } from "./table.js";
import { buildCamera } from "./webcam.js";
import { open, refresh, reopen, restore, travel } from "./work.js";

const at = (id) => document.getElementById(id);
const WAYS = [
  ["expressions", "Expression", buildExpressions], ["muscles", "Movements", buildMuscles], ["angles", "Eyes, head", buildAngles],
  ["example", "Example", buildExample], ["saved", "Saved", buildSaved], ["models", "Models", buildModels], ["facts", "Facts", buildFacts],
];

function buildWays() {
  for (const [id, text, build] of WAYS) {
    const first = id === WAYS[0][0];
    at("ways").append(make("button", { role: "tab", id: `tab-${id}`, "aria-controls": id, "aria-selected": `${first}`, tabindex: first ? 0 : -1 }, text));
    const panel = make("div", { role: "tabpanel", id, "aria-labelledby": `tab-${id}`, hidden: !first });
    at("ways-panels").append(panel);
    build(panel);
  }
  const choose = tabs(at("ways"), (tab) => {
    keepForWindow({ way: tab.id });
    changed();
  });
  const last = at(ofWindow().way);
  if (last) choose(last);
}

/** Workbenches have addresses, so that the browser's Back goes from one to the one before. */
function buildBenches() {
  const now = () => at(`tab-${location.hash.slice(1)}`)?.closest("#benches") ? location.hash.slice(1) : "photograph";
  const choose = tabs(at("benches"), (tab) => {
    const bench = tab.getAttribute("aria-controls");
    if (bench !== now()) history.pushState(null, "", `${location.pathname}${location.search}#${bench}`);
  });
  addEventListener("popstate", () => choose(at(`tab-${now()}`)));
  choose(at(`tab-${now()}`));
}

function buildTheme() {
  const root = document.documentElement;
  const kept = localStorage.getItem("mien theme");
  if (kept) root.dataset.theme = kept;
  at("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("mien theme", root.dataset.theme);
  });
}

function buildFiles() {
  const begin = async ([file]) => {
    at("hint").textContent = `opening ${file.name} …`;
    await open(file);
    at("hint").textContent = "or drop one here, or paste it";
  };
  const first = chooser("Choose a photograph", PICTURES, begin, { id: "file" });
  first.classList.add("primary");
  at("choose").replaceWith(first);
  at("choose-another").replaceWith(chooser("Choose a photograph", PICTURES, begin, { id: "another-file" }));
  onChange(() => { // photographs that were open before
    const names = state.opened.filter((name) => name !== state.photo && state.photos[name]).reverse();
    if (at("earlier").dataset.of === names.join()) return;
    at("earlier").dataset.of = names.join();
    at("earlier").replaceChildren(...names.map((name) => make("button", { title: `${state.photos[name].name}, as it was left`, "aria-label": `${state.photos[name].name}, as it was left`, onclick: () => reopen(name) },
      make("img", { src: `api/photos/${name}?frame=${state.photos[name].largest}&side=128`, alt: "", width: 56, height: 56 }))));
  });
  at("another").addEventListener("toggle", () => { if (at("another").open) trying(refresh); }); // other windows open some, too
  at("heard").addEventListener("click", () => notice(""));
  document.addEventListener("click", (event) => { // a menu goes when anything else, or a part of it, is clicked
    if (!event.target.closest(".menu > summary")) at("another").open = false;
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
    if (file && !at("photograph").hidden) begin([file]);
  });
  const over = (on) => document.body.classList.toggle("over", on);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    const files = [...event.dataTransfer.files];
    if (!files.length) return;
    if (!at("photograph").hidden) {
      begin(files).then(() => { if (files.length > 1) notice("one photograph is open, the first; many at once are changed under Many"); });
      return;
    }
    const bench = document.querySelector("main > :not([hidden])"); // to the chooser of the card that it was dropped on
    const input = (event.target.closest(".card") ?? bench).querySelector("input[type=file]") ?? bench.querySelector("input[type=file]");
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change"));
  });
}

function buildSaving() {
  const forms = at("forms");
  let form = "PNG";
  at("save").addEventListener("click", () => {
    form = upload().form;
    forms.replaceChildren(...chips("Form", state.about.forms.map((one) => [one, one]), form, (value) => { form = value; }, "form").childNodes);
    at("signs").hidden = !state.about.signs;
    at("saving").showModal();
  });
  at("saving").addEventListener("close", () => {
    if (at("saving").returnValue !== "save") return;
    const sign = at("sign").checked ? 1 : 0;
    trying(() => download(`steps/${step().number}/file?form=${form}&sign=${sign}&of=${state.photo}`));
  });
}

function buildKeys() {
  at("undo").addEventListener("click", () => travel({ undo: true }));
  at("redo").addEventListener("click", () => travel({ redo: true }));
  let pointed = false; // what was clicked keeps the focus, but space is the picture's; what the keyboard went to is pressed
  const pressed = (target) => !pointed && target.closest("button, input[type=checkbox], input[type=radio], label, summary");
  document.addEventListener("pointerdown", () => { pointed = true; }, true);
  const typing = (target) => target.matches("input[type=text], select, textarea");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Tab" || event.key.startsWith("Arrow")) pointed = false;
    if (!state.project || typing(event.target) || event.altKey || at("saving").open || at("photograph").hidden) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) travel({ undo: true });
    else if (key === "y" || (key === "z" && event.shiftKey)) travel({ redo: true });
    else if (key === "escape" && at("another").open) at("another").open = false;
    else if (key === " " && !pressed(event.target)) {
      if (!event.repeat) peek(true);
    } else return;
    event.preventDefault();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== " " || !peeks()) return;
    event.preventDefault();
    peek(false);
  });
}

async function start() {
  buildTheme();
  buildBenches();
  buildStage();
  buildFiles();
  buildKeys();
  state.about = await get("about");
  at("drawn").append(...["neutral", "happiness", "surprise", "wink-left", "sadness"].map((word) => faceOf(state.about.words[word], 56)));
  buildCamera();
  buildWays();
  buildHistory();
  buildSaving();
  buildTable(at("table"));
  const { kept, limits } = state.about;
  at("foot").replaceChildren(
    make("p", {}, "An edited face shows an expression its owner may never have made: ask the people you show. What you save says in its metadata that it was edited."),
    make("p", {}, `Nothing leaves the computer that serves this page. Photographs up to ${limits.megabytes} MB and ${limits.megapixels} megapixels; they lie in `, make("code", {}, kept.folder),
      `, are kept for ${Math.round(kept.seconds / 60)} minutes after you last used them, and go when mien app ends. mien ${state.about.version}`));
  buildClips(at("clips"));
  buildMany(at("many"));
  const told = await restore();
  resume(told.jobs);
  document.body.dataset.ready = "true";
}

trying(start).then(() => { if (!state.about) notice(at("notice").textContent || "the page could not begin; reload it"); });
