/** The order in which a person meets the suggestions, and what the cursor stands on. */
import { inOrder } from "./model.js";

/** @typedef {import("./model.js").Entity} Entity */

/**
 * Open suggestions in the order of the text.
 * @param {Iterable<Entity>} entities
 * @param {(label: string) => boolean} [shown] filter of labels
 */
export function openSuggestions(entities, shown = () => true) {
  return [...entities].filter((entity) => entity.state === "suggested" && shown(entity.label)).sort(inOrder);
}

/**
 * The next or previous open suggestion, around the end of the text.
 * @param {Entity[]} open in order
 * @param {{start: number, end: number}} from the focused entity or the selection
 * @param {string | null} focus id of the focused entity
 * @param {1 | -1} direction
 * @returns {Entity | null}
 */
export function nextSuggestion(open, from, focus, direction) {
  if (open.length === 0) return null;
  const at = open.findIndex((entity) => entity.id === focus);
  if (at >= 0) return open[(at + direction + open.length) % open.length];
  if (direction > 0) return open.find((entity) => entity.start >= from.start) ?? open[0];
  return open.findLast((entity) => entity.end <= from.start) ?? open[open.length - 1];
}

/**
 * The entities that cover a span, the innermost one first; of two alike the open suggestion first.
 * @param {Iterable<Entity>} entities
 * @param {number} start
 * @param {number} end
 */
export function covering(entities, start, end) {
  return [...entities]
    .filter((entity) => entity.state !== "rejected" && entity.start <= start && entity.end >= end)
    .sort((one, other) => one.end - one.start - (other.end - other.start) || Number(one.state !== "suggested") - Number(other.state !== "suggested"));
}
