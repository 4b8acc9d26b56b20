/** From emissions to entities: the best well-formed sequence of BIO tags (Viterbi), as viner.encoding.decoding finds it. */

/**
 * @typedef {object} WordSpan
 * @property {number} first
 * @property {number} last exclusive
 * @property {number} label index
 * @property {number} score geometric mean of the probabilities of its tags, calibrated
 */

/**
 * Makes scores probabilities of being right, as viner.metrics.calibration.Calibration does.
 * @typedef {{slope: number, intercept: number}} Calibration
 */

const LEAST_SCORE = 1e-4; // as in viner.metrics.calibration
const SURE = 1 - 1e-6; // as in viner.encoding.decoding

/**
 * @param {Float32Array} emissions tags of each word, one word after the other: O, B-x, I-x, B-y, I-y, …
 * @param {number} tags
 * @param {Calibration | null} calibration null leaves scores as they are
 * @param {number} leastEstimate entities of which the estimate that calibration starts from is lower are left out
 * @returns {WordSpan[]} in text order, never overlapping
 */
export function decode(emissions, tags, calibration, leastEstimate) {
  const words = emissions.length / tags;
  if (words === 0) return [];
  const logs = logSoftmax(emissions, tags);
  const best = new Int32Array(words).map((_, word) => argmax(logs, word * tags, tags));
  const path = isWellFormed(best) ? best : viterbi(logs, words, tags);
  /** @type {WordSpan[]} */
  const spans = [];
  for (let word = 0; word < words; word++) {
    if (path[word] % 2 !== 1) continue;
    let last = word + 1;
    while (last < words && path[last] > 0 && path[last] % 2 === 0) last++;
    let total = 0;
    for (let inside = word; inside < last; inside++) total += logs[inside * tags + path[inside]];
    // In the estimate, the end counts as a tag: that the next word does not go on.
    const goesOn = last < words ? Math.exp(logs[last * tags + path[word] + 1]) : 0;
    const estimate = Math.min(Math.exp((total + Math.log1p(-Math.min(goesOn, SURE))) / (last - word + 1)), 1);
    if (estimate < leastEstimate) continue;
    const score = calibration === null ? Math.min(Math.exp(total / (last - word)), 1) : calibrated(estimate, calibration);
    spans.push({ first: word, last, label: path[word] >> 1, score });
  }
  return spans;
}

/** @param {number} score @param {Calibration} calibration */
function calibrated(score, { slope, intercept }) {
  const kept = Math.min(Math.max(score, LEAST_SCORE), 1 - LEAST_SCORE);
  return 1 / (1 + Math.exp(-(slope * Math.log(kept / (1 - kept)) + intercept)));
}

/** @param {Float32Array} emissions @param {number} tags */
function logSoftmax(emissions, tags) {
  const logs = new Float64Array(emissions.length);
  for (let at = 0; at < emissions.length; at += tags) {
    const largest = emissions[at + argmax(emissions, at, tags)];
    let sum = 0;
    for (let tag = 0; tag < tags; tag++) sum += Math.exp(emissions[at + tag] - largest);
    for (let tag = 0; tag < tags; tag++) logs[at + tag] = emissions[at + tag] - largest - Math.log(sum);
  }
  return logs;
}

/** The first of the largest of some neighbors, counted from the first of them. @param {ArrayLike<number>} values @param {number} at @param {number} count */
function argmax(values, at, count) {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[at + k] > values[at + best]) best = k;
  return best;
}

/** Whether every I-x follows B-x or I-x. @param {Int32Array} path */
function isWellFormed(path) {
  return path.every((tag, word) => tag === 0 || tag % 2 === 1 || (word > 0 && (path[word - 1] === tag || path[word - 1] === tag - 1)));
}

/** @param {Float64Array} logs @param {number} words @param {number} tags */
function viterbi(logs, words, tags) {
  let best = Array.from(logs.subarray(0, tags), (log, tag) => (tag > 0 && tag % 2 === 0 ? -Infinity : log));
  const cameFrom = new Int32Array(words * tags);
  for (let word = 1; word < words; word++) {
    // O and every B may follow anything; I-x may follow B-x or I-x.
    const any = argmax(best, 0, tags);
    const next = new Array(tags);
    for (let tag = 0; tag < tags; tag++) {
      const inside = tag > 0 && tag % 2 === 0;
      const from = !inside ? any : best[tag] > best[tag - 1] ? tag : tag - 1;
      cameFrom[word * tags + tag] = from;
      next[tag] = logs[word * tags + tag] + best[from];
    }
    best = next;
  }
  const path = new Int32Array(words);
  path[words - 1] = argmax(best, 0, tags);
  for (let word = words - 1; word > 0; word--) path[word - 1] = cameFrom[word * tags + path[word]];
  return path;
}
