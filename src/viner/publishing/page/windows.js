/** Cutting a long document into overlapping windows, as viner.encoding.windows does. */
import { firstWhere } from "./offsets.js";

/**
 * @typedef {object} Window
 * @property {number} first first word that the model sees
 * @property {number} last one past the last word that it sees
 * @property {number} keepFirst first word whose answer is kept
 * @property {number} keepLast one past the last word whose answer is kept
 */

/**
 * @param {ArrayLike<number>} offsets index of each word's first piece, then the number of pieces
 * @param {number} capacity pieces that fit a window
 * @param {number} overlap pieces that neighbors share at most
 * @returns {Window[]}
 */
export function planWindows(offsets, capacity, overlap) {
  const words = offsets.length - 1;
  if (words === 0) return [];
  if (offsets[words] <= capacity) return [{ first: 0, last: words, keepFirst: 0, keepLast: words }];
  const spans = spansOf(offsets, capacity, overlap);
  // Neighbors meet in the middle of what they share: there both see equally far.
  const cuts = [0];
  for (let k = 1; k < spans.length; k++) {
    const [from, to] = [spans[k][0], spans[k - 1][1]];
    const middle = (offsets[from] + offsets[to]) / 2;
    let nearest = from;
    for (let word = from + 1; word <= to; word++) if (Math.abs(offsets[word] - middle) < Math.abs(offsets[nearest] - middle)) nearest = word;
    cuts.push(nearest);
  }
  cuts.push(words);
  // Where words are long, a window's neighbors can answer all that it sees.
  return spans.map(([first, last], k) => ({ first, last, keepFirst: cuts[k], keepLast: cuts[k + 1] })).filter((window) => window.keepFirst < window.keepLast);
}

/** @param {ArrayLike<number>} offsets @param {number} capacity @param {number} overlap */
function spansOf(offsets, capacity, overlap) {
  const words = offsets.length - 1;
  const reaching = (/** @type {number} */ piece) => firstWhere(offsets.length, (word) => offsets[word] >= piece);
  /** @type {[number, number][]} */
  const spans = [];
  for (let first = 0; ; ) {
    const limit = offsets[first] + capacity;
    const last = firstWhere(offsets.length, (word) => offsets[word] > limit) - 1;
    if (last >= words) {
      // The last window reaches back as far as it can.
      spans.push([reaching(offsets[words] - capacity), words]);
      return spans;
    }
    spans.push([first, last]);
    first = Math.min(Math.max(reaching(offsets[last] - overlap), first + 1), last);
  }
}
