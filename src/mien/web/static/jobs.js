// Long work: how far it is, how long it will take, and what came of it.
import { download, get, post, remove } from "./ask.js";
import { make } from "./make.js";
import { trying } from "./state.js";
import { timeLeft } from "./words.js";

const OVER = ["done", "failed", "cancelled"];

/** Begin work and show it in a place until it is over; return what it tells in the end. */
export function begin(place, asked) {
  return trying(async () => watch(place, await post("jobs", asked)));
}

export async function watch(place, job) {
  const bar = make("progress", { max: 1, "aria-label": "How far it is" });
  const told = make("span", { role: "status" });
  const stop = make("button", { onclick: () => trying(() => remove(`jobs/${job.name}`)) }, "Cancel");
  place.replaceChildren(make("div", { class: "job" }, bar, told, stop));
  for (let now = job; ; now = await get(`jobs/${job.name}`)) {
    if (now.total) bar.value = now.done / now.total;
    told.textContent = now.state === "waiting" ? "waiting for its turn" : now.total ? `${now.done} of ${now.total} ${timeLeft(now.left)}` : "beginning";
    if (OVER.includes(now.state)) {
      place.replaceChildren(...result(now));
      return now;
    }
    await new Promise((done) => setTimeout(done, 400));
  }
}

function result(job) {
  if (job.state === "cancelled") return [make("p", {}, "Cancelled; nothing was kept of it.")];
  if (job.state === "failed") return [make("p", { class: "bad", role: "alert" }, job.error)];
  const parts = [make("p", {}, job.said)];
  if (job.files.clip) {
    const path = `files/${job.files.clip}`;
    const moving = make("video", { src: `api/${path}`, controls: true, loop: true, playsinline: true });
    moving.addEventListener("error", () => moving.replaceWith(make("img", { src: `api/${path}`, alt: "What came of it" })));
    parts.push(moving, make("p", {}, make("button", { class: "primary", onclick: () => trying(() => download(`${path}?keep=1`)) }, "Save the clip")));
  }
  return parts;
}
