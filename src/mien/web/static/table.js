// What faces show, as a table: of photographs and clips.
import { send } from "./ask.js";
import { begin, placeOf, saver } from "./jobs.js";
import { PICTURES, chooser, make } from "./make.js";
import { state, trying } from "./state.js";
import { WORDS } from "./words.js";

const COLUMNS = [["path", "File"], ["frame", "Frame"], ["number", "Face"], ["expression", "Seems"], ["share", "Share"], ["yaw", "Turned"], ["pitch", "Nodded"], ["roll", "Tilted"]];

export function buildTable(bench) {
  const place = placeOf("read", shown);
  const read = (files) => begin({ kind: "read", files });
  const choose = chooser("Choose photographs or clips", `${PICTURES},video/*`, (files) => trying(async () => {
    const names = [];
    for (const file of enough(files)) {
      place.replaceChildren(make("p", { role: "status" }, `sending ${names.length + 1} of ${files.length}`));
      names.push((await send("files", file)).file);
    }
    await read(names);
  }), { multiple: true, id: "read-files" });
  const own = make("button", { onclick: () => trying(() => {
    if (!state.photo) throw new Error("choose a photograph first, under Photograph, or choose files here");
    return read([state.photo]);
  }) }, "Read the photograph that is open");
  bench.append(make("section", { class: "card wide" }, make("h2", {}, "What faces show"),
    make("p", {}, "Every face in photographs and clips: the likeliest of eight words, movements, where the head is turned."),
    make("div", { class: "bar" }, choose, own), place));
}

/** Files that were chosen, if they are not too many at once. */
export function enough(files) {
  const { many } = state.about.limits;
  if (files.length > many) throw new Error(`${files.length} files are more than ${many}; choose fewer, or let the shell take a folder: mien edit FOLDER, mien recognize FOLDER`);
  return files;
}

function shown(job) {
  const rows = job.rows.map((row) => ({ ...row, share: row[row.expression] }));
  const columns = COLUMNS.filter(([name]) => rows.some((row) => row[name] !== undefined && row[name] !== null));
  const cell = (row, name) => {
    const value = row[name];
    if (value === undefined || value === null) return "";
    if (name === "share") return `${Math.round(100 * value)} %`;
    if (name === "expression") return WORDS[value] ?? value;
    return typeof value === "number" && name !== "number" && name !== "frame" ? `${Math.round(value)}°` : `${value}`;
  };
  return [
    make("p", {}, `${job.said}. An estimate; the table that you save has all columns: every word, movement and angle.`),
    make("p", { class: "bar" }, ...["csv", "json"].map((kind) => saver(`Save as ${kind.toUpperCase()}`, `files/${job.files[kind]}?keep=1`))),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What faces show" }, make("table", {},
      make("thead", {}, make("tr", {}, ...columns.map(([, text]) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...(row.error && !row.expression
        ? [make("td", {}, row.path), make("td", { class: "bad wrong", colspan: columns.length - 1 }, row.error)]
        : columns.map(([name]) => make("td", {}, cell(row, name))))))))),
  ];
}
