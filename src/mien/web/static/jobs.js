// Long work: how far it is, how long it will take, and what came of it.
import { download, get, post, remove } from "./ask.js";
import { make } from "./make.js";
import { trying } from "./state.js";
import { timeLeft } from "./words.js";

const OVER = ["done", "failed", "cancelled"];

const places = {}; // by kind of work: where it is shown, and how what came of it

/** Where a kind of work is shown; `shown` gives the parts that show what came of it. */
export function placeOf(kind, shown = showClip) {
  const place = make("div", { class: "result" });
  places[kind] = { place, shown };
  return place;
}

/** Begin work and show it in its place until it is over. */
export const begin = (asked) => trying(async () => watch(await post("jobs", asked)));

/** Show the last work of each kind again, as after a reload. */
export function resume(jobs) {
  const last = Object.fromEntries(jobs.filter((job) => job.kind in places && job.state !== "cancelled").map((job) => [job.kind, job]));
  for (const job of Object.values(last)) watch(job).catch(() => {});
}

async function watch(job) {
  const { place, shown } = places[job.kind];
  const bar = make("progress", { max: 1, "aria-label": "How far it is" });
  const told = make("span", { role: "status" });
  const stop = make("button", { onclick: () => trying(() => remove(`jobs/${job.name}`)) }, "Cancel");
  place.replaceChildren(make("div", { class: "job" }, bar, told, stop));
  for (let now = job; ; now = await get(`jobs/${job.name}`)) {
    if (now.total) bar.value = now.done / now.total;
    told.textContent = now.state === "waiting" ? "waiting for its turn" : now.total ? `${now.done} of ${now.total}${timeLeft(now.left)}` : "beginning";
    if (OVER.includes(now.state)) {
      place.replaceChildren(...result(now, shown));
      return;
    }
    await new Promise((done) => setTimeout(done, 400));
  }
}

function result(job, shown) {
  if (job.state === "cancelled") return [make("p", {}, "Cancelled; nothing was kept of it.")];
  if (job.state === "failed") return [make("p", { class: "bad", role: "alert" }, job.error)];
  return shown(job);
}

function showClip(job) {
  const path = `files/${job.files.clip}`;
  const moving = make("video", { src: `api/${path}`, controls: true, loop: true, playsinline: true });
  moving.addEventListener("error", () => moving.replaceWith(make("img", { src: `api/${path}`, alt: "What came of it" })));
  return [make("p", {}, job.said), moving, make("p", {}, saver("Save the clip", `${path}?keep=1`))];
}

/** A button that saves a file that was made. */
export const saver = (text, path) => make("button", { class: "primary", onclick: () => trying(() => download(path)) }, text);
