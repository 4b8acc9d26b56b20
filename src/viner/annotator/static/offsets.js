/**
 * The one conversion between code points, in which everything on this page counts, and UTF-16, in which JavaScript cuts strings.
 */

/** A text that is cut at code points. */
export class Text {
  /** @param {string} raw the document's text, exactly as the server sent it */
  constructor(raw) {
    this.raw = raw;
    /** UTF-16 indices of the characters that take two units, in order. @type {number[]} */
    this.pairs = [];
    for (let index = 0; index < raw.length - 1; index++) {
      const unit = raw.charCodeAt(index);
      if (unit >= 0xd800 && unit < 0xdc00 && (raw.charCodeAt(index + 1) & 0xfc00) === 0xdc00) this.pairs.push(index++);
    }
    /** Length in code points. */
    this.length = raw.length - this.pairs.length;
  }

  /**
   * @param {number} unit a UTF-16 index; the middle of a character counts as its start
   * @returns {number} the code point index
   */
  toCodePoint(unit) {
    const { pairs } = this;
    return pairs.length === 0 ? unit : unit - firstWhere(pairs.length, (k) => pairs[k] >= unit);
  }

  /**
   * @param {number} point a code point index
   * @returns {number} the UTF-16 index
   */
  toUtf16(point) {
    const { pairs } = this;
    return pairs.length === 0 ? point : point + firstWhere(pairs.length, (k) => pairs[k] - k >= point);
  }

  /**
   * @param {number} start code point, inclusive
   * @param {number} end code point, exclusive
   */
  slice(start, end) {
    return this.raw.slice(this.toUtf16(start), this.toUtf16(end));
  }
}

/**
 * The first of 0 … count − 1 for which a condition that never turns false again holds, else count.
 * @param {number} count
 * @param {(index: number) => boolean} holds
 */
export function firstWhere(count, holds) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
