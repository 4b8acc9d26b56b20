/** "Label every …": the occurrences of a surface in this document that are whole words and that nobody has decided on. */
import { compared } from "./spelling.js";
import { margins } from "./space.js";

/**
 * They are compared as the server compares them: composed or not, with the tone mark on either vowel, with any white space.
 * @param {import("./words.js").Words} words
 * @param {Iterable<import("./model.js").Entity>} entities
 * @param {{surface: string, label: string, matchCase: boolean}} wanted
 * @returns {{spans: {start: number, end: number}[], already: number, otherwise: number}} code points; `already` counts those that lie
 *   in an entity of the label or were rejected as one, `otherwise` those that are an entity of another label
 */
export function occurrences(words, entities, wanted) {
  /** @type {{start: number, end: number}[]} */
  const spans = [];
  let [already, otherwise] = [0, 0];
  const [lead, trail] = margins(wanted.surface);
  if (lead === wanted.surface.length) return { spans, already, otherwise };
  const borders = [new Set(words.starts), new Set(words.ends)];
  const place = (/** @type {{start: number, end: number}} */ { start, end }) => `${start} ${end}`;
  const all = [...entities];
  const accepted = all.filter((entity) => entity.state === "accepted");
  const own = accepted.filter((entity) => entity.label === wanted.label).sort((one, other) => one.start - other.start);
  const rejected = new Set(all.filter((entity) => entity.state === "rejected" && entity.label === wanted.label).map(place));
  const others = new Set(accepted.filter((entity) => entity.label !== wanted.label).map(place));
  const { keys, starts } = compared(words.text.raw, wanted.matchCase);
  const { keys: sought } = compared(wanted.surface.slice(lead, wanted.surface.length - trail), wanted.matchCase);
  let [next, reach] = [0, 0];
  for (let k = keys.indexOf(sought[0]); k >= 0; k = keys.indexOf(sought[0], k)) {
    const span = { start: starts[k], end: starts[k + sought.length] };
    if (!sought.every((key, j) => keys[k + j] === key) || !borders[0].has(span.start) || !borders[1].has(span.end)) {
      k++;
      continue;
    }
    // Of the entities of the label that begin before it the one that reaches farthest; occurrences come in order and apart.
    for (; next < own.length && own[next].start < span.end; next++) reach = Math.max(reach, own[next].end);
    if (reach > span.start || rejected.has(place(span))) already++;
    else if (others.has(place(span))) otherwise++;
    else spans.push(span);
    k += sought.length;
  }
  return { spans, already, otherwise };
}
