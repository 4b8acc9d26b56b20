/** The normalization forms of Unicode, from tables. */
import { codesOf, expand } from "./characters.js";

// Hangul syllables: 19 initial, 21 middle and 27 final letters, composed by rule.
const SYLLABLES = 0xac00;
const INITIAL = 0x1100;
const MIDDLE = 0x1161;
const BEFORE_FINAL = 0x11a7;
const INITIALS = 19;
const MIDDLES = 21;
const FINALS = 28; // one of them is "none"

/** @param {number} first @param {number} second */
const pair = (first, second) => first * 0x110000 + second;

export class Canonical {
  /** @param {{decompositions: Record<string, string>, compositions: number[], classes: number[]}} tables */
  constructor({ decompositions, compositions, classes }) {
    /** @type {Map<number, number[]>} */
    this.decompositions = new Map();
    for (const [char, split] of Object.entries(decompositions)) this.decompositions.set(/** @type {number} */ (char.codePointAt(0)), [...codesOf(split)]);
    /** @type {Map<number, number>} */
    this.compositions = new Map();
    for (let k = 0; k < compositions.length; k += 3) this.compositions.set(pair(compositions[k], compositions[k + 1]), compositions[k + 2]);
    this.classes = expand(classes);
  }

  /**
   * The same with differences: that of another library, or a compatibility form.
   * @param {{changed: Record<string, string>, unmade: number[], unordered: number[]}} differences
   */
  with({ changed, unmade, unordered }) {
    /** @type {Canonical} */
    const other = Object.create(Canonical.prototype);
    other.decompositions = new Map(this.decompositions);
    for (const [char, split] of Object.entries(changed)) other.decompositions.set(/** @type {number} */ (char.codePointAt(0)), [...codesOf(split)]);
    const without = new Set(unmade);
    other.compositions = new Map([...this.compositions].filter(([, composite]) => !without.has(composite)));
    other.classes = this.classes.slice();
    for (const code of unordered) other.classes[code] = 0;
    return other;
  }

  /** Form C. @param {string} text */
  composed(text) {
    return isPlain(text) ? text : String.fromCodePoint(...this.compose(this.decompose(text)));
  }

  /** Form D. @param {string} text */
  decomposed(text) {
    return isPlain(text) ? text : String.fromCodePoint(...this.decompose(text));
  }

  /** @param {string} text @returns {number[]} its code points, decomposed, marks in their order */
  decompose(text) {
    /** @type {number[]} */
    const codes = [];
    for (const code of codesOf(text)) {
      const split = this.decompositions.get(code);
      const syllable = code - SYLLABLES;
      if (split !== undefined) codes.push(...split);
      else if (syllable >= 0 && syllable < INITIALS * MIDDLES * FINALS) {
        codes.push(INITIAL + Math.floor(syllable / (MIDDLES * FINALS)), MIDDLE + Math.floor((syllable % (MIDDLES * FINALS)) / FINALS));
        if (syllable % FINALS) codes.push(BEFORE_FINAL + (syllable % FINALS));
      } else codes.push(code);
    }
    this.order(codes);
    return codes;
  }

  /** Sorts each row of marks by class; equal ones stay as they are. @param {number[]} codes */
  order(codes) {
    for (let k = 1; k < codes.length; k++) {
      const code = codes[k];
      const kind = this.classes[code];
      if (kind === 0) continue;
      let at = k;
      while (at > 0 && this.classes[codes[at - 1]] > kind) {
        codes[at] = codes[at - 1];
        at--;
      }
      codes[at] = code;
    }
  }

  /** @param {number[]} codes decomposed @returns {number[]} composed */
  compose(codes) {
    /** @type {number[]} */
    const made = [];
    let starter = -1;
    let last = 0; // class of what stands behind the starter
    for (const code of codes) {
      const kind = this.classes[code];
      if (starter >= 0 && (last === 0 || last < kind)) {
        const composite = this.composite(made[starter], code);
        if (composite !== undefined) {
          made[starter] = composite;
          continue;
        }
      }
      if (kind === 0) starter = made.length;
      last = kind;
      made.push(code);
    }
    return made;
  }

  /** @param {number} first @param {number} second @returns {number | undefined} */
  composite(first, second) {
    if (first >= INITIAL && first < INITIAL + INITIALS && second >= MIDDLE && second < MIDDLE + MIDDLES) {
      return SYLLABLES + ((first - INITIAL) * MIDDLES + second - MIDDLE) * FINALS;
    }
    const syllable = first - SYLLABLES;
    if (syllable >= 0 && syllable < INITIALS * MIDDLES * FINALS && syllable % FINALS === 0 && second > BEFORE_FINAL && second < BEFORE_FINAL + FINALS) {
      return first + second - BEFORE_FINAL;
    }
    return this.compositions.get(pair(first, second));
  }
}

/** Whether every character is ASCII, which no form changes. @param {string} text */
function isPlain(text) {
  for (let k = 0; k < text.length; k++) if (text.charCodeAt(k) > 0x7f) return false;
  return true;
}
