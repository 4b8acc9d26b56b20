/** Lanes: nested and crossing entities get lines of their own, the shortest one nearest to the text. */
import { firstWhere } from "./offsets.js";

/**
 * @param {{id: string, start: number, end: number}[]} entities
 * @returns {Map<string, number>} lane of each entity, 0 = nearest to the text; entities that share a character never share a lane
 */
export function lanesOf(entities) {
  const order = [...entities].sort(
    (one, other) => one.end - one.start - (other.end - other.start) || one.start - other.start || (one.id < other.id ? -1 : 1),
  );
  /** @type {{start: number, end: number}[][]} */
  const lanes = [];
  const result = new Map();
  for (const entity of order) {
    let lane = 0;
    // An outer entity lies outside whatever it covers, even where a lane between would be free.
    for (let k = lanes.length - 1; k >= 0; k--) {
      const next = after(lanes[k], entity.start);
      if (next < lanes[k].length && lanes[k][next].start < entity.end) {
        lane = k + 1;
        break;
      }
    }
    lanes[lane] ??= [];
    lanes[lane].splice(after(lanes[lane], entity.start), 0, entity);
    result.set(entity.id, lane);
  }
  return result;
}

/** Index of the first entity of a lane that ends behind a place: in a lane they are in order and apart. @param {{end: number}[]} lane @param {number} start */
function after(lane, start) {
  return firstWhere(lane.length, (k) => lane[k].end > start);
}

/**
 * Cuts a word at the borders of the entities that touch it.
 * @template {{start: number, end: number}} T
 * @param {number} start of the word
 * @param {number} end of the word
 * @param {T[]} entities
 * @returns {{start: number, end: number, entities: T[]}[]} pieces that tile the word
 */
export function pieces(start, end, entities) {
  const borders = new Set([start, end]);
  for (const entity of entities) {
    if (entity.start > start && entity.start < end) borders.add(entity.start);
    if (entity.end > start && entity.end < end) borders.add(entity.end);
  }
  const sorted = [...borders].sort((one, other) => one - other);
  return sorted.slice(0, -1).map((from, k) => {
    const to = sorted[k + 1];
    return { start: from, end: to, entities: entities.filter((entity) => entity.start < to && from < entity.end) };
  });
}
