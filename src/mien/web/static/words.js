// The program's words in people's.

export const WORDS = {
  neutral: "Neutral", happiness: "Happy", sadness: "Sad", surprise: "Surprised", fear: "Afraid", anger: "Angry",
  disgust: "Disgusted", contempt: "Contempt",
  blink: "Eyes shut", "wink-left": "Wink, left", "wink-right": "Wink, right", squint: "Squint", pout: "Pout",
  smirk: "Smirk", kiss: "Kiss", laugh: "Laugh",
  "say-a": "Aaa", "say-e": "Eee", "say-o": "Ooo", "say-u": "Woo", "say-m": "Mmm",
};

/** What a word's button says of itself; else the word that scripts use. */
export const HINTS = { "wink-left": "The person's own left eye", "wink-right": "The person's own right eye" };

export const UNITS = {
  1: "Inner brows up", 2: "Outer brows up", 4: "Brows together", 5: "Eyes wide", 6: "Cheeks up", 7: "Lids tight",
  9: "Nose wrinkled", 10: "Upper lip up", 12: "Smile", 14: "Dimples", 15: "Corners down", 16: "Lower lip down",
  17: "Chin up", 18: "Lips pursed", 20: "Mouth wide", 22: "Lips forward", 23: "Lips tight", 24: "Lips pressed",
  25: "Lips apart", 26: "Jaw open", 43: "Eyes shut",
};

export const PARTS = { "": "Whole face", brows: "Brows", eyes: "Eyes", mouth: "Mouth" };

/** What a model can be asked for, in words. */
export const abilitiesOf = ({ words, parts, units, gaze, head }) =>
  [words.length && "expressions", parts && "of a part", units.length && "single movements", gaze && "eyes", head && "the head"].filter(Boolean).join(", ");

export const wordOf = (name) => (typeof name === "string" ? WORDS[name] || name : name.name);

/** All that a look asks for, in words; nothing where it asks for nothing. */
export function told({ calm, like, words = [], units = {}, gaze = [0, 0], turn = [0, 0], roll }) {
  const percent = (share) => `${Math.round(100 * share)}\u00a0%`;
  const moved = Object.entries(units).map(([unit, value]) => `${UNITS[parseInt(unit, 10)]}${{ L: ", left", R: ", right" }[unit.slice(-1)] ?? ""} ${+value.toFixed(1)}`);
  const angles = [["Eyes", gaze], ["Head", turn], ["Tilted", [roll || 0]]].filter(([, by]) => by.some(Boolean)).map(([name, by]) => `${name} ${by.map((one) => `${one}°`).join(" ")}`);
  return [calm ? `Calm ${percent(calm)}` : "", like ? `Like another ${percent(like.strength)}` : "", ...words.map(noteOf), ...moved, ...angles].filter(Boolean).join(" · ");
}

/** What a step changed, in words: "Happy 80 %, mouth". */
export const noteOf = (word) =>
  [`${wordOf(word.name)} ${Math.round(100 * word.strength)}\u00a0%`, ...word.only].join(", ");

export function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 60) return `, about ${Math.max(1, Math.round(seconds))} s left`;
  return `, about ${Math.round(seconds / 60)} min left`;
}
