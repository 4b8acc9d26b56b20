/** SentencePiece's unigram model: of all ways to cut a text into pieces, the one whose pieces are likeliest together. */
import { bytesOf } from "./characters.js";

/** What a character without a piece costs beyond the least likely piece. */
const UNKNOWN_PENALTY = 10;

export class Unigram {
  /** @param {{pieces: string[], scores: string, wide: boolean, unknown: number | null, bytes: boolean}} data */
  constructor({ pieces, scores, wide, unknown, bytes }) {
    const buffer = bytesOf(scores).buffer;
    this.scores = wide ? new Float64Array(buffer) : Float64Array.from(new Float32Array(buffer));
    /** @type {Map<string, number>} */
    this.ids = new Map();
    this.longest = 0; // in UTF-16 units
    pieces.forEach((piece, id) => {
      this.ids.set(piece, id);
      this.longest = Math.max(this.longest, piece.length);
    });
    this.unknown = unknown;
    this.bytes = bytes;
    this.unknownScore = this.scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
  }

  /** @param {string} text @returns {number[]} ids of its pieces */
  cut(text) {
    const parts = this.parts(text);
    /** @type {number[]} */
    const ids = [];
    for (const part of parts) {
      const id = this.ids.get(part);
      const bytes = id === undefined && this.bytes ? bytePieces(part, this.ids) : null;
      if (id !== undefined) ids.push(id);
      else if (bytes) ids.push(...bytes);
      else ids.push(/** @type {number} */ (this.unknown));
    }
    return ids;
  }

  /** @param {string} text @returns {string[]} */
  parts(text) {
    const size = text.length;
    const best = new Float64Array(size + 1); // score of the best way to a place
    const from = new Int32Array(size + 1).fill(-1); // where its last piece begins
    const ids = new Int32Array(size + 1).fill(-1);
    const reach = (/** @type {number} */ start, /** @type {number} */ end, /** @type {number} */ id, /** @type {number} */ score) => {
      if (from[end] >= 0 && score <= best[end]) return;
      best[end] = score;
      from[end] = start;
      ids[end] = id;
    };
    for (let start = 0; start < size; ) {
      const next = start + charLength(text, start);
      let single = false;
      for (let end = next; end <= size && end - start <= this.longest; end += charLength(text, end)) {
        const id = this.ids.get(text.slice(start, end));
        if (id === undefined) continue;
        reach(start, end, id, this.scores[id] + best[start]);
        if (end === next) single = true;
      }
      if (!single) reach(start, next, this.unknown ?? -1, this.unknownScore + best[start]);
      start = next;
    }
    /** @type {string[]} */
    const parts = [];
    let unknown = false; // whether the part that was added last is unknown: neighbors of its kind become one
    for (let end = size; end > 0; end = from[end]) {
      const part = text.slice(from[end], end);
      const isUnknown = this.unknown !== null && ids[end] === this.unknown;
      if (isUnknown && unknown) parts[parts.length - 1] = part + parts[parts.length - 1];
      else parts.push(part);
      unknown = isUnknown;
    }
    return parts.reverse();
  }
}

/** UTF-16 units of the character at a place. @param {string} text @param {number} at */
function charLength(text, at) {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 ? 2 : 1;
}

/**
 * The pieces of the bytes of a text, where the vocabulary has all of them.
 * @param {string} text
 * @param {Map<string, number>} ids
 * @returns {number[] | null}
 */
export function bytePieces(text, ids) {
  const found = Array.from(new TextEncoder().encode(text), (byte) => ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`));
  return found.includes(undefined) ? null : /** @type {number[]} */ (found);
}
