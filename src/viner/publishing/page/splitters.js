/** What cuts a normalized word before the model of a tokenizer sees it. */
import { expand } from "./characters.js";

/** @typedef {(text: string) => string[]} Splitter */

const SPACE = "▁";
const CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/** @param {Record<string, any>} part @returns {Splitter} */
export function splitterOf(part) {
  if (part.type === "Metaspace") return (text) => text.replaceAll(" ", SPACE).split(/(?=▁)/u).filter(Boolean);
  if (part.type === "ByteLevel") return byteLevel(expand(part.classes));
  if (part.type === "Classes") return byClasses(expand(part.classes));
  throw new Error(`no splitter is named ${part.type}`);
}

// Classes of a character: it stays with its neighbors, goes, stands alone, stays with other signs.
const GONE = 1;
const ALONE = 2;

/** @param {Uint32Array} classes @returns {Splitter} */
function byClasses(classes) {
  return (text) => {
    /** @type {string[]} */
    const parts = [];
    let before = GONE;
    for (const char of text) {
      const kind = classes[/** @type {number} */ (char.codePointAt(0))];
      if (kind !== GONE) {
        if (kind === before && kind !== ALONE) parts[parts.length - 1] += char;
        else parts.push(char);
      }
      before = kind;
    }
    return parts;
  };
}

// Classes of a character in the regular expression of GPT-2: letters, numbers, white space, others.
const WHITE = 2;

/**
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+, then each byte as a printable character.
 * @param {Uint32Array} classes
 * @returns {Splitter}
 */
function byteLevel(classes) {
  const encoder = new TextEncoder();
  return (text) => {
    const chars = Array.from(text);
    const kinds = chars.map((char) => classes[/** @type {number} */ (char.codePointAt(0))]);
    /** @type {string[]} */
    const parts = [];
    for (let start = 0, end; start < chars.length; start = end) {
      const short = CONTRACTIONS.find((form) => form === chars.slice(start, start + form.length).join(""));
      if (short) {
        end = start + short.length;
      } else {
        const first = chars[start] === " " && start + 1 < chars.length && kinds[start + 1] !== WHITE ? start + 1 : start;
        for (end = first + 1; end < chars.length && kinds[end] === kinds[first]; ) end++;
        // Of several spaces before something, the last one is left to it.
        if (kinds[first] === WHITE && end < chars.length && end - start > 1) end--;
      }
      parts.push(Array.from(encoder.encode(chars.slice(start, end).join("")), (byte) => PRINTABLE[byte]).join(""));
    }
    return parts;
  };
}

/** For each byte the character that stands for it: itself where it can be seen, else one from U+0100 on. */
const PRINTABLE = (() => {
  const seen = (/** @type {number} */ byte) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(seen(byte) ? byte : next++));
})();
