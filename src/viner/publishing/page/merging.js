/** Byte-pair encoding: of all neighbors that may be merged, those that were learned first are, again and again. */
import { bytePieces } from "./unigram.js";

/** Larger than any id. */
const IDS = 1 << 26;

export class Merging {
  /** @param {{pieces: (string | null)[], merges: number[], unknown: number | null, fuse: boolean, bytes: boolean, prefix: string, suffix: string, whole: boolean}} data */
  constructor({ pieces, merges, unknown, fuse, bytes, prefix, suffix, whole }) {
    /** @type {Map<string, number>} */
    this.ids = new Map();
    pieces.forEach((piece, id) => piece !== null && this.ids.set(piece, id));
    /** Rank and result of each pair. @type {Map<number, [number, number]>} */
    this.merges = new Map();
    for (let k = 0; k < merges.length; k += 3) this.merges.set(merges[k] * IDS + merges[k + 1], [k, merges[k + 2]]);
    /** @type {number | null} */ this.unknown = unknown;
    this.fuse = fuse;
    this.bytes = bytes;
    this.prefix = prefix;
    this.suffix = suffix;
    this.whole = whole;
  }

  /** @param {string} text @returns {number[]} ids of its pieces */
  cut(text) {
    const whole = this.whole ? this.ids.get(text) : undefined;
    return whole !== undefined ? [whole] : this.merged(this.symbols(Array.from(text)));
  }

  /** @param {string[]} chars @returns {number[]} an id for each character */
  symbols(chars) {
    /** @type {number[]} */
    const symbols = [];
    let pending = false; // an unknown character that may be fused with the next one
    const flush = () => {
      if (pending) symbols.push(/** @type {number} */ (this.unknown));
      pending = false;
    };
    chars.forEach((char, k) => {
      const symbol = (k > 0 ? this.prefix : "") + char + (k === chars.length - 1 ? this.suffix : "");
      const id = this.ids.get(symbol);
      const bytes = id === undefined && this.bytes ? bytePieces(symbol, this.ids) : null;
      if (id !== undefined) {
        flush();
        symbols.push(id);
      } else if (bytes) {
        symbols.push(...bytes);
      } else if (this.unknown !== null) {
        if (!this.fuse) flush();
        pending = true;
      }
    });
    flush();
    return symbols;
  }

  /** @param {number[]} symbols @returns {number[]} */
  merged(symbols) {
    for (;;) {
      let rank = Infinity;
      let at = -1;
      let result = -1;
      for (let k = 0; k + 1 < symbols.length; k++) {
        const merge = this.merges.get(symbols[k] * IDS + symbols[k + 1]);
        if (merge && merge[0] < rank) [rank, at, result] = [merge[0], k, merge[1]];
      }
      if (at < 0) return symbols;
      symbols.splice(at, 2, result);
    }
  }
}
