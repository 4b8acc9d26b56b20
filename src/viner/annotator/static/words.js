/** The words of a document, as the server cut them: where they are, which one holds a place, where sentences and blocks begin. */
import { firstWhere } from "./offsets.js";
import { margins } from "./space.js";

const SENTENCE_END = /^[.!?…;。！？]+$/u;

/** Most words of one block of the page; an edit lays out one block only. */
export const BLOCK_WORDS = 300;

export class Words {
  /**
   * @param {import("./offsets.js").Text} text
   * @param {number[]} flat code points: start, end, start, end, …
   */
  constructor(text, flat) {
    this.text = text;
    this.count = flat.length >> 1;
    this.starts = new Int32Array(this.count);
    this.ends = new Int32Array(this.count);
    for (let k = 0; k < this.count; k++) {
      this.starts[k] = flat[2 * k];
      this.ends[k] = flat[2 * k + 1];
    }
  }

  /** @param {number} k */
  surface(k) {
    return this.text.slice(this.starts[k], this.ends[k]);
  }

  /** What stands before word k: white space, or nothing. @param {number} k may be `count` for what stands behind the last word */
  gap(k) {
    return this.text.slice(k > 0 ? this.ends[k - 1] : 0, k < this.count ? this.starts[k] : this.text.length);
  }

  /** The word that holds a code point, or the last one before it (0 where there is none). @param {number} point */
  at(point) {
    return Math.max(0, firstWhere(this.count, (k) => this.starts[k] > point) - 1);
  }

  /**
   * First and last word that a span touches.
   * @param {number} start
   * @param {number} end exclusive
   * @returns {[number, number]}
   */
  of(start, end) {
    const first = Math.min(firstWhere(this.count, (k) => this.ends[k] > start), Math.max(0, this.count - 1));
    return [first, Math.max(first, this.at(end - 1))];
  }

  /** Whether a sentence begins at word k: the text, a line, or what follows a full stop and a space. @param {number} k */
  beginsSentence(k) {
    if (k <= 0) return k === 0;
    const gap = this.gap(k);
    return gap !== "" && (/[\r\n]/.test(gap) || SENTENCE_END.test(this.surface(k - 1)));
  }

  /** Whether a line of the text begins at word k. @param {number} k */
  beginsLine(k) {
    return k === 0 || /[\r\n]/.test(this.gap(k));
  }

  /**
   * The word at which the sentence (or line) before or behind word k begins; the ends of the text where there is none.
   * @param {number} k
   * @param {1 | -1} direction
   * @param {"sentence" | "line"} unit
   */
  jump(k, direction, unit) {
    const begins = unit === "line" ? (/** @type {number} */ j) => this.beginsLine(j) : (/** @type {number} */ j) => this.beginsSentence(j);
    for (let j = k + direction; j >= 0 && j < this.count; j += direction) if (begins(j)) return j;
    return direction < 0 ? 0 : Math.max(0, this.count - 1);
  }

  /**
   * Cuts the words into blocks: one for each line, and long lines at a sentence's end or after BLOCK_WORDS words.
   * @returns {number[]} first words of the blocks
   */
  blocks() {
    const first = this.count > 0 ? [0] : [];
    for (let k = 1; k < this.count; k++) {
      const size = k - first[first.length - 1];
      const long = size >= BLOCK_WORDS || (size >= BLOCK_WORDS * 0.7 && this.beginsSentence(k));
      if (long || this.beginsLine(k)) first.push(k);
    }
    return first;
  }

  /**
   * White space at both ends of a span removed, since an entity has none.
   * @param {number} start
   * @param {number} end
   * @returns {[number, number]}
   */
  trim(start, end) {
    const surface = this.text.slice(start, end);
    const [lead, trail] = margins(surface);
    return lead < surface.length ? [start + lead, end - trail] : [start, start];
  }
}
