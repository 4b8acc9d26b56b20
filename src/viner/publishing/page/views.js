/** Views of a word, as viner.text.normalize makes them: what the model is shown instead of the raw characters. */

const TONES = "\u0300\u0301\u0309\u0303\u0323";
const OPEN = new RegExp(
  `^(?<onset>[bcdđghklmnprstvx]{0,3})(?:(?<o>o)(?<ot>[${TONES}]?)(?<ae>[ae])|(?<u>u)(?<ut>[${TONES}]?)(?<y>y))(?<last>[${TONES}]?)$`,
  "iu",
);

/**
 * The word in form C with the tone mark where one Vietnamese spelling puts it.
 * @param {import("./canonical.js").Canonical} canonical
 * @param {string} word
 * @param {"new" | "old"} style
 */
function toneStyle(canonical, word, style) {
  const groups = OPEN.exec(canonical.decomposed(word))?.groups;
  if (!groups) return canonical.composed(word);
  const [first, second] = groups.o ? [groups.o, groups.ae] : [groups.u, groups.y];
  const tone = (groups.ot || groups.ut || "") + groups.last;
  if (tone.length !== 1) return canonical.composed(word);
  return canonical.composed(groups.onset + (style === "old" ? first + tone + second : first + second + tone));
}

/**
 * @param {string[]} names in the order in which a word passes through them
 * @param {import("./canonical.js").Canonical} canonical
 * @returns {(word: string) => string}
 */
export function viewOf(names, canonical) {
  /** @type {Record<string, (word: string) => string>} */
  const known = {
    nfc: (word) => canonical.composed(word),
    "tone-new": (word) => toneStyle(canonical, word, "new"),
    "tone-old": (word) => toneStyle(canonical, word, "old"),
  };
  const views = names.map((name) => known[name]);
  return (word) => views.reduce((seen, view) => view(seen), word);
}
