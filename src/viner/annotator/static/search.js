/** Search in the document: neither case nor tone marks matter, so "ha noi" finds "Hà Nội", composed or not. */

/** @type {Map<string, string>} */
const known = new Map();

/**
 * A character without marks and case; it may become empty (a lone mark) or longer (a ligature).
 * @param {string} character one code point
 */
function foldCharacter(character) {
  let folded = known.get(character);
  if (folded === undefined) {
    folded = character.normalize("NFKD").toLowerCase().replace(/\p{M}/gu, "").replace(/đ/g, "d");
    known.set(character, folded);
  }
  return folded;
}

/** @param {string} text */
export function fold(text) {
  return Array.from(text, foldCharacter).join("");
}

/** A text made ready for searching. */
export class SearchIndex {
  /** @param {string} raw */
  constructor(raw) {
    /** @type {string[]} */
    const parts = [];
    /** Code point of the raw text for each UTF-16 unit of the folded one. @type {number[]} */
    this.points = [];
    let point = 0;
    for (const character of raw) {
      const folded = /\s/.test(character) ? " " : foldCharacter(character);
      parts.push(folded);
      for (let k = 0; k < folded.length; k++) this.points.push(point);
      point++;
    }
    this.points.push(point);
    this.folded = parts.join("");
  }

  /**
   * @param {string} query
   * @param {number} [limit]
   * @returns {{start: number, end: number}[]} code points, in order
   */
  find(query, limit = 10_000) {
    const wanted = fold(query.trim().replace(/\s+/g, " "));
    /** @type {{start: number, end: number}[]} */
    const hits = [];
    if (wanted === "") return hits;
    for (let at = this.folded.indexOf(wanted); at >= 0 && hits.length < limit; at = this.folded.indexOf(wanted, at + wanted.length)) {
      // Marks behind the last letter belong to it: the end is where the next folded character begins.
      hits.push({ start: this.points[at], end: this.points[at + wanted.length] });
    }
    return hits;
  }
}

/**
 * The hits in the order in which a person wants to see them from a place on, around the end of the text.
 * @param {{start: number, end: number}[]} hits
 * @param {number} from code point
 */
export function firstHit(hits, from) {
  const at = hits.findIndex((hit) => hit.start >= from);
  return at < 0 ? 0 : at;
}
