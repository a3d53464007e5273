// Asks the server; what it says is wrong comes back as an Error in its words.

async function ask(method, path, body) {
  const json = body !== undefined && !(body instanceof FormData || body instanceof Blob);
  let answer;
  try {
    answer = await fetch(`api/${path}`, {
      method,
      body: json ? JSON.stringify(body) : body,
      headers: json ? { "Content-Type": "application/json" } : {},
    });
  } catch {
    throw new Error("the page's server does not answer; see whether mien app still runs, then reload the page");
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.error || `the server says ${answer.status}; reload the page and try again`);
}

export const get = async (path) => (await ask("GET", path)).json();
export const post = async (path, body) => (await ask("POST", path, body)).json();
export const remove = async (path) => (await ask("DELETE", path)).json();
export const picture = async (path) => (await ask("GET", path)).blob();

/** A picture that a request makes; null where a newer request came before its turn. */
export async function drawn(path, body) {
  const answer = await ask("POST", path, body);
  return answer.status === 204 ? null : answer.blob();
}

export function send(path, file) {
  const form = new FormData();
  form.append("file", file, file.name || "photograph.jpg");
  return post(path, form);
}

/** Have the browser keep a blob or an address as a file. */
export function keep(what, name) {
  const link = document.createElement("a");
  link.href = what instanceof Blob ? URL.createObjectURL(what) : what;
  link.download = name;
  link.click();
  if (what instanceof Blob) setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** What the server calls a file in an answer to be kept. */
export async function download(path) {
  const answer = await ask("GET", path);
  const named = /filename\*?=(?:utf-8'')?"?([^";]+)/i.exec(answer.headers.get("Content-Disposition") || "");
  keep(await answer.blob(), named ? decodeURIComponent(named[1]) : "mien");
}
