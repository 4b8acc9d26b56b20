/** "Label every …": the occurrences of a surface in this document that are whole words and do not have the label yet. */
import { inOrder } from "./model.js";
import { margins, SPACE } from "./space.js";

/**
 * @param {import("./words.js").Words} words
 * @param {Iterable<import("./model.js").Entity>} entities
 * @param {{surface: string, label: string, matchCase: boolean}} wanted
 * @returns {{spans: {start: number, end: number}[], already: number}} code points; `already` counts those that have the label
 */
export function occurrences(words, entities, wanted) {
  const { text } = words;
  /** @type {{start: number, end: number}[]} */
  const spans = [];
  let already = 0;
  if (margins(wanted.surface)[0] === wanted.surface.length) return { spans, already };
  const starts = new Set(words.starts);
  const ends = new Set(words.ends);
  const labeled = [...entities].filter((entity) => entity.state === "accepted" && entity.label === wanted.label).sort(inOrder);
  const escaped = wanted.surface.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(new RegExp(`${SPACE}+`, "g"), `${SPACE}+`);
  const pattern = new RegExp(escaped, wanted.matchCase ? "gu" : "giu");
  for (const match of text.raw.matchAll(pattern)) {
    const start = text.toCodePoint(match.index);
    const end = text.toCodePoint(match.index + match[0].length);
    if (!starts.has(start) || !ends.has(end)) continue;
    if (labeled.some((entity) => entity.start < end && start < entity.end)) already++;
    else spans.push({ start, end });
  }
  return { spans, already };
}
