/** Where characters, as people see them, begin and end: extended grapheme clusters (Unicode Annex 29). */

export class Clusters {
  /**
   * @param {import("./characters.js").Characters} characters
   * @param {Iterable<number>} [apart] characters that do not extend the one before them after all
   */
  constructor(characters, apart = []) {
    const bits = (/** @type {string[]} */ ...names) => characters.bits(...names);
    this.flags = characters.flags;
    this.apart = new Set(apart);
    this.return = bits("return");
    this.feed = bits("feed");
    this.hard = bits("return", "feed", "control");
    this.marks = bits("extend", "joiner", "spacing");
    this.extend = bits("extend");
    this.joiner = bits("joiner");
    this.prepend = bits("prepend");
    this.regional = bits("regional");
    this.pictograph = bits("pictograph");
    this.l = bits("hangulL");
    this.afterL = bits("hangulL", "hangulV", "hangulLV", "hangulLVT");
    this.v = bits("hangulV", "hangulLV");
    this.afterV = bits("hangulV", "hangulT");
    this.t = bits("hangulT", "hangulLVT");
    this.afterT = bits("hangulT");
    this.consonant = bits("consonant");
    this.linker = bits("linker");
    this.conjunct = bits("conjunct", "linker");
  }

  /**
   * Whether a cluster ends between k − 1 and k.
   * @param {ArrayLike<number>} codes
   * @param {number} k from 1 to the number of codes less 1
   */
  isBorder(codes, k) {
    const { flags } = this;
    const left = flags[codes[k - 1]];
    const right = flags[codes[k]];
    if (left & this.return && right & this.feed) return false;
    if ((left | right) & this.hard) return true;
    if (left & this.l && right & this.afterL) return false;
    if (left & this.v && right & this.afterV) return false;
    if (left & this.t && right & this.afterT) return false;
    if (right & this.marks && !this.apart.has(codes[k])) return false;
    if (left & this.prepend) return false;
    if (right & this.consonant && this.endsInLinker(codes, k)) return false;
    if (left & this.joiner && right & this.pictograph && this.followsPictograph(codes, k - 1)) return false;
    if (left & right & this.regional) {
      let first = k - 1;
      while (first > 0 && flags[codes[first - 1]] & this.regional) first--;
      return (k - first) % 2 === 0;
    }
    return true;
  }

  /** Whether a consonant and a linker, with marks, stand before k. @param {ArrayLike<number>} codes @param {number} k */
  endsInLinker(codes, k) {
    let linked = false;
    for (let at = k - 1; at >= 0; at--) {
      const flags = this.flags[codes[at]];
      if (flags & this.linker) linked = true;
      else if (flags & this.consonant) return linked;
      else if (!(flags & this.conjunct)) return false;
    }
    return false;
  }

  /** Whether a pictograph, with marks, stands before k. @param {ArrayLike<number>} codes @param {number} k */
  followsPictograph(codes, k) {
    let at = k - 1;
    while (at >= 0 && this.flags[codes[at]] & this.extend) at--;
    return at >= 0 && (this.flags[codes[at]] & this.pictograph) !== 0;
  }
}
