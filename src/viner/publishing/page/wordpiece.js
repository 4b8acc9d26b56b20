/** WordPiece: the longest piece that a word begins with, then the longest that goes on, to its end; else the word is unknown. */

export class WordPiece {
  /** @param {{pieces: (string | null)[], unknown: number, prefix: string, longest: number}} data */
  constructor({ pieces, unknown, prefix, longest }) {
    /** @type {Map<string, number>} */
    this.ids = new Map();
    pieces.forEach((piece, id) => piece !== null && this.ids.set(piece, id));
    this.unknown = unknown;
    this.prefix = prefix;
    this.longest = longest;
  }

  /** @param {string} text @returns {number[]} ids of its pieces */
  cut(text) {
    const chars = Array.from(text);
    if (chars.length > this.longest) return [this.unknown];
    /** @type {number[]} */
    const ids = [];
    for (let start = 0, end; start < chars.length; start = end) {
      let id;
      for (end = chars.length; end > start; end--) {
        id = this.ids.get((start > 0 ? this.prefix : "") + chars.slice(start, end).join(""));
        if (id !== undefined) break;
      }
      if (id === undefined) return [this.unknown];
      ids.push(id);
    }
    return ids;
  }
}
