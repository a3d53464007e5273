// The page put together: benches, the ways of changing, keys, what is dropped and pasted, and saving.
import { download, get } from "./ask.js";
import { buildClips } from "./clips.js";
import { buildExample } from "./example.js";
import { buildExpressions } from "./expressions.js";
import { faceOf } from "./face.js";
import { buildFacts } from "./facts.js";
import { buildHistory } from "./history.js";
import { resume } from "./jobs.js";
import { chips, make, tabs } from "./make.js";
import { buildMany } from "./many.js";
import { buildModels } from "./models.js";
import { buildAngles, buildMuscles } from "./muscles.js";
import { buildSaved } from "./saved.js";
import { buildStage, peek } from "./stage.js";
import { changed, notice, state, step, trying, upload } from "./state.js";
import { buildTable } from "./table.js";
import { buildCamera } from "./webcam.js";
import { open, restore, travel } from "./work.js";

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
  tabs(at("ways"), changed);
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
  at("file").addEventListener("change", async () => {
    const [file] = at("file").files;
    at("file").value = "";
    if (file) await open(file);
  });
  document.addEventListener("click", (event) => { // a menu goes when anything else, or a part of it, is clicked
    if (!event.target.closest(".menu > summary")) at("another").open = false;
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
    if (file) open(file);
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const files = [...event.dataTransfer.files];
    if (!at("photograph").hidden && files.length) open(files[0]).then(() => { if (files.length > 1) notice("one photograph is open, the first; many at once are changed under Many"); });
    if (!at("many").hidden) at("many").dispatchEvent(new CustomEvent("files", { detail: files }));
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
    trying(() => download(`steps/${step().number}/file?form=${form}&sign=${sign}`));
  });
}

function buildKeys() {
  at("undo").addEventListener("click", () => travel({ undo: true }));
  at("redo").addEventListener("click", () => travel({ redo: true }));
  const typing = (target) => target.matches("input[type=text], select, textarea");
  document.addEventListener("keydown", (event) => {
    if (!state.project || typing(event.target) || event.altKey || at("saving").open || at("photograph").hidden) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) travel({ undo: true });
    else if (key === "y" || (key === "z" && event.shiftKey)) travel({ redo: true });
    else if (key === "escape" && at("another").open) at("another").open = false;
    else if (key === " " && !event.target.closest("button, input[type=checkbox], input[type=radio], label, summary")) {
      if (!event.repeat) peek(true);
    } else return;
    event.preventDefault();
  });
  document.addEventListener("keyup", (event) => { if (event.key === " ") peek(false); });
}

async function start() {
  buildTheme();
  tabs(at("benches"));
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
