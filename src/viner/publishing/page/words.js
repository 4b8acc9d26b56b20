/** Cutting raw text into words, as viner.text.words does: the same cuts at the same code points. */
import { Clusters } from "./clusters.js";

/** Longest word in code points. */
export const LONGEST_WORD = 64;
const ZERO_WIDTH_JOINER = 0x200d;
/** Emoji that joiners may add to the first one. */
const FAMILY = 20;

/** Thai and Lao AM, which extend any character before them. @param {number} code */
const isAm = (code) => code === 0x0e33 || code === 0x0eb3;

export class WordSplitter {
  /** @param {import("./characters.js").Characters} characters */
  constructor(characters) {
    this.flags = characters.flags;
    this.clusters = new Clusters(characters);
    this.digit = characters.bits("digit");
    this.lower = characters.bits("lower");
    this.alphanumeric = characters.bits("alphanumeric");
    this.letter = characters.bits("letter");
    this.extender = characters.bits("extender");
    this.regional = characters.bits("regional");
    this.pictograph = characters.bits("pictograph");
    this.skin = characters.bits("skin");
    this.ruler = characters.bits("ruler");
    this.space = characters.bits("space");
    this.prepend = characters.bits("prepend");
  }

  /**
   * @param {ArrayLike<number>} codes code points of the text
   * @returns {number[]} start and end of each word, one after the other, in code points
   */
  split(codes) {
    /** @type {number[]} */
    let flat = [];
    for (let at = 0; at < codes.length; ) {
      const end = this.end(codes, at);
      if (end > at) flat.push(at, end);
      at = Math.max(end, at + 1);
    }
    if (this.hasStray(codes)) flat = this.joined(codes, flat);
    return flat.some((_, k) => k % 2 === 1 && flat[k] - flat[k - 1] > LONGEST_WORD) ? this.cut(codes, flat) : flat;
  }

  /** Whether the character at k exists and has one of some classes. @param {ArrayLike<number>} codes @param {number} k @param {number} bits */
  is(codes, k, bits) {
    return k < codes.length && (this.flags[codes[k]] & bits) !== 0;
  }

  /** The first place from k on whose character has none of some classes. @param {ArrayLike<number>} codes @param {number} k @param {number} bits */
  skip(codes, k, bits) {
    while (this.is(codes, k, bits)) k++;
    return k;
  }

  /** Where the word that begins at a place ends; the place itself where none begins. @param {ArrayLike<number>} codes @param {number} at */
  end(codes, at) {
    const code = codes[at];
    const flags = this.flags[code];
    if (flags & this.digit) {
      const end = this.skip(codes, at + 1, this.digit);
      if (this.is(codes, end, this.lower)) return end;
    }
    if (flags & this.alphanumeric) return this.skip(codes, at + 1, this.alphanumeric | this.extender);
    if (flags & this.letter) {
      let end = at + 1;
      while (this.is(codes, end, this.extender) || isAm(codes[end])) end++;
      return end;
    }
    if (flags & this.regional && this.is(codes, at + 1, this.regional)) return this.skip(codes, at + 2, this.extender);
    if (flags & this.pictograph) {
      let end = this.skip(codes, at + 1, this.skin | this.extender);
      for (let more = 0; more < FAMILY && codes[end - 1] === ZERO_WIDTH_JOINER && this.is(codes, end, this.pictograph); more++) {
        end = this.skip(codes, end + 1, this.skin | this.extender);
      }
      return end;
    }
    if (flags & this.ruler && codes[at + 1] === code && codes[at + 2] === code) {
      let end = at + 3;
      while (end - at < LONGEST_WORD && codes[end] === code) end++;
      return end;
    }
    return flags & this.space ? at : this.skip(codes, at + 1, this.extender);
  }

  /** Whether a sign that belongs to its neighbor stands where no pattern expects it. @param {ArrayLike<number>} codes */
  hasStray(codes) {
    for (let k = 0; k < codes.length; k++) {
      const code = codes[k];
      if (this.flags[code] & this.prepend) return true;
      if (isAm(code) && !(k > 0 && codes[k - 1] >= 0x0e00 && codes[k - 1] <= 0x0eff)) return true;
      if (this.flags[code] & this.skin && !(k > 0 && this.flags[codes[k - 1]] & this.pictograph)) return true;
    }
    return false;
  }

  /** The words without borders inside of characters. @param {ArrayLike<number>} codes @param {number[]} flat */
  joined(codes, flat) {
    const hard = this.clusters.hard;
    /** @type {number[]} */
    const joined = [];
    for (let k = 0; k < flat.length; k += 2) {
      const start = flat[k];
      let belongs = false;
      if (joined.length && joined[joined.length - 1] === start) {
        const left = this.flags[codes[start - 1]];
        const right = this.flags[codes[start]];
        belongs = (left & this.prepend && !(right & hard)) || (!(left & hard) && (isAm(codes[start]) || right & this.skin)) ? true : false;
      }
      if (belongs) joined[joined.length - 1] = flat[k + 1];
      else joined.push(start, flat[k + 1]);
    }
    return joined;
  }

  /** Long words cut between clusters. @param {ArrayLike<number>} codes @param {number[]} flat */
  cut(codes, flat) {
    /** @type {number[]} */
    const pieces = [];
    for (let k = 0; k < flat.length; k += 2) {
      let start = flat[k];
      while (flat[k + 1] - start > LONGEST_WORD) {
        const border = this.lastBorder(codes, start, start + LONGEST_WORD);
        pieces.push(start, border);
        start = border;
      }
      pieces.push(start, flat[k + 1]);
    }
    return pieces;
  }

  /** The last border of clusters behind `start` and not behind `limit`; `limit` where there is none. @param {ArrayLike<number>} codes @param {number} start @param {number} limit */
  lastBorder(codes, start, limit) {
    for (let k = limit; k > start; k--) if (this.clusters.isBorder(codes, k)) return k;
    return limit;
  }
}
