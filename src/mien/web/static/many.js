// Many photographs changed alike: each gets the look of the open photograph, or one that was kept.
import { download, send } from "./ask.js";
import { begin, placeOf, saver } from "./jobs.js";
import { PICTURES, chips, chooser, make } from "./make.js";
import { kept } from "./saved.js";
import { look, onChange, state, step, trying } from "./state.js";
import { enough } from "./table.js";
import { told } from "./words.js";

const OPEN = "the photograph that is open";

export function buildMany(bench) {
  let [files, form, everybody, stopped] = [[], "", false, false];
  const place = placeOf("many", shown);
  const from = make("select", { id: "many-look", onchange: () => fill() });
  const asked = make("div", { class: "asked" });
  const list = make("p", { class: "small", role: "status" });
  const go = make("button", { class: "primary", id: "many-go", onclick: () => trying(change) }, "Change them all");
  const choose = (chosen) => trying(() => {
    files = enough(chosen);
    fill();
  });
  const faces = chips("Faces", [["", "The largest"], ["all", "Everybody's"]], "", (value) => { everybody = !!value; }, "many-faces");
  const forms = chips("Form", [["", "As it came"], ...state.about.forms.map((one) => [one, one])], "", (value) => { form = value; }, "many-form");
  bench.append(make("section", { class: "card wide" }, make("h2", {}, "Change many photographs alike"),
    make("p", {}, "Each gets the same look, from its own pixels: expressions, movements, eyes and head."),
    make("div", { class: "bar" }, make("label", {}, "The look of ", from), asked),
    make("div", { class: "bar" }, chooser("Choose photographs", PICTURES, choose, { multiple: true, id: "many-files" }), list),
    faces, forms, make("p", {}, go), place));

  /** The look that is given: of the open photograph, or one that was kept. */
  function wanted() {
    const saved = kept().find((one) => one.name === from.value.slice(1));
    if (!from.value || !saved) return state.project ? look() : null;
    const { name, origin, units, gaze, turn, roll } = saved;
    return { words: [{ name: { name, origin, units, gaze, turn, roll }, strength: 1, only: [] }] };
  }

  async function change() {
    const given = wanted();
    if (!given || !told(given)) throw new Error("there is no look yet; change a photograph first, under Photograph, or choose one that you kept");
    if (!files.length) throw new Error("choose photographs first");
    stopped = false;
    go.disabled = true;
    try {
      const names = [];
      for (const file of files) {
        place.replaceChildren(make("div", { class: "job" },
          make("progress", { max: files.length, value: names.length, "aria-label": "How many are sent" }),
          make("span", { role: "status" }, `sending ${names.length + 1} of ${files.length}`),
          make("button", { onclick: () => { stopped = true; } }, "Cancel")));
        names.push((await send("files", file)).file);
        if (stopped) return place.replaceChildren(make("p", {}, "Cancelled; nothing was changed."));
      }
      return await begin({ kind: "many", files: names, look: given, form, everybody, ...(state.project ? { model: step().model } : {}) });
    } finally {
      go.disabled = false;
    }
  }

  function fill() {
    const value = from.value;
    from.replaceChildren(make("option", { value: "" }, OPEN), ...kept().map(({ name }) => make("option", { value: ` ${name}` }, name)));
    from.value = value;
    if (from.selectedIndex < 0) from.selectedIndex = 0;
    const given = wanted();
    const open = state.project && !from.value;
    asked.replaceChildren(
      open ? make("img", { src: `api/steps/${step().number}/picture?frame=${state.face}&side=128&of=${state.photo}`, alt: "", width: 56, height: 56 }) : "",
      make("span", {}, (given && told(given)) || "nothing yet; change a photograph first, under Photograph"));
    list.textContent = !files.length ? "or drop them here" : `${files.length} chosen: ${files.slice(0, 3).map((file) => file.name).join(", ")}${files.length > 3 ? ", …" : ""}`;
  }
  onChange(fill);
  document.getElementById("tab-many").addEventListener("click", fill);
}

function shown(job) {
  const path = `files/${job.files.zip}`;
  const missed = job.rows.filter((row) => row.error);
  return [
    make("p", { class: "bar" }, saver("Save all as a zip", `${path}?keep=1`), make("span", {}, job.said)),
    missed.length ? make("ul", { class: "missed bad" }, ...missed.map((row) => make("li", {}, row.error))) : "",
    make("ul", { class: "made" }, ...job.rows.filter((row) => !row.error).map((row) => make("li", {},
      make("img", { src: `api/${path}?part=${row.part}&small=1`, alt: `${row.name}, changed`, loading: "lazy" }),
      make("span", { title: row.made }, row.name),
      make("button", { class: "plain", title: "Save this one", "aria-label": `Save ${row.name}`, onclick: () => trying(() => download(`${path}?part=${row.part}`)) }, "⤓")))),
  ];
}
