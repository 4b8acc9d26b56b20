/** What is known of every character, as Python wrote it down: a browser's own Unicode is of another age. */

/** Number of code points. */
const CODES = 0x110000;

/**
 * A table from its run lengths.
 * @param {number[]} runs how far behind the one before a run begins, its value, …
 * @returns {Uint32Array} a value for each code point
 */
export function expand(runs) {
  const table = new Uint32Array(CODES);
  let at = 0;
  for (let k = 0; k < runs.length; k += 2) {
    at += runs[k];
    table.fill(runs[k + 1], at, k + 2 < runs.length ? at + runs[k + 2] : CODES);
  }
  return table;
}

/** The classes of characters, one bit each. */
export class Characters {
  /** @param {{names: string[], runs: number[]}} data */
  constructor({ names, runs }) {
    this.names = names;
    this.flags = expand(runs);
  }

  /**
   * The bits of some classes together.
   * @param {...string} names
   */
  bits(...names) {
    return names.reduce((bits, name) => {
      const bit = this.names.indexOf(name);
      if (bit < 0) throw new Error(`no class of characters is named ${name}`);
      return bits | (1 << bit);
    }, 0);
  }
}

/** @param {string} text @returns {Uint32Array} its code points */
export function codesOf(text) {
  const codes = new Uint32Array(text.length);
  let count = 0;
  for (let k = 0; k < text.length; k++) {
    const code = /** @type {number} */ (text.codePointAt(k));
    if (code > 0xffff) k++;
    codes[count++] = code;
  }
  return codes.subarray(0, count);
}

/** How many bytes a character takes in UTF-8. @param {number} code */
export function utf8Length(code) {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/** @param {string} base64 @returns {Uint8Array} */
export function bytesOf(base64) {
  const binary = atob(base64);
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
