// Small parts of which the page is made.

export function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "circle", "ellipse", "g"].includes(tag);
  const part = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) part.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-") && value !== undefined) part.setAttribute(name, value); // false is told, too
    else if (value === true) part.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) part.setAttribute(name, value);
  }
  part.append(...children.filter((child) => child !== null && child !== undefined));
  return part;
}

/** What a chooser of photographs offers. A browser may not know what a telephone's HEIC is, and would leave it out. */
export const PICTURES = "image/*,.heic,.heif";

/** A button that chooses a file, or several. */
export function chooser(text, accept, chosen, more = {}) {
  const input = make("input", { type: "file", accept, class: "hidden", "aria-label": text, ...more });
  input.addEventListener("change", async () => {
    const files = [...input.files];
    input.value = "";
    if (files.length) await chosen(files);
  });
  return make("label", { class: "button" }, text, input);
}

/** One of several words, as radio buttons that look like chips. */
export function chips(legend, words, value, chosen, name = legend) {
  const field = make("fieldset", { class: "chips" }, make("legend", {}, legend));
  for (const [word, text] of words) {
    const input = make("input", { type: "radio", name, value: word, checked: word === value, onchange: () => chosen(word) });
    field.append(make("label", {}, input, make("span", {}, text)));
  }
  return field;
}

/** A row of tabs: arrows go from one to the next, as browsers' own do not. */
export function tabs(list, chosen) {
  const all = () => [...list.querySelectorAll("[role=tab]")];
  const choose = (tab, focus) => {
    for (const one of all()) {
      one.setAttribute("aria-selected", one === tab);
      one.tabIndex = one === tab ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = one !== tab;
    }
    if (focus) tab.focus();
    chosen?.(tab);
  };
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) choose(tab);
  });
  list.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    const known = all();
    choose(known[(known.indexOf(event.target) + way + known.length) % known.length], true);
    event.preventDefault();
  });
  return choose;
}
