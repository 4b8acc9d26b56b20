/** How texts are compared where spelling shall not matter: composed or not, and with the tone mark on either vowel (Hòa, Hoà). */
import { SPACE } from "./space.js";

const TONES = "\u0300\u0301\u0309\u0303\u0323";
/** An open syllable whose rhyme is oa, oe or uy, decomposed: only there do the two spellings differ. */
const OPEN = new RegExp(`^([bcdđghklmnprstvx]{0,3})(?:(o)([${TONES}]?)([ae])|(u)([${TONES}]?)(y))([${TONES}]?)$`, "iu");
const PIECE = new RegExp(`[\\p{L}\\p{M}]+|${SPACE}+|[^]`, "gu");
const BLANK = new RegExp(`^${SPACE}`);

/**
 * A syllable in NFC with the tone mark on the second vowel, as the server compares it (`viner.text.tone_style`).
 * @param {string} syllable
 */
export function spelled(syllable) {
  const match = OPEN.exec(syllable.normalize("NFD"));
  if (!match) return syllable.normalize("NFC");
  const [, onset, o, oTone = "", ae, u, uTone = "", y, last] = match;
  const tone = oTone + uTone + last;
  return (tone.length === 1 ? onset + (o ?? u) + (ae ?? y) + tone : syllable).normalize("NFC");
}

/**
 * A text as it is compared: runs of letters, single characters, and white space, any of which is as good as another unless it
 * holds an empty line.
 * @param {string} text
 * @param {boolean} matchCase
 * @returns {{keys: string[], starts: number[]}} `starts` in code points, with the end of the text as the last one
 */
export function compared(text, matchCase) {
  /** @type {string[]} */
  const keys = [];
  const starts = [];
  let point = 0;
  for (const [piece] of text.matchAll(PIECE)) {
    const spelling = BLANK.test(piece) ? (hasEmptyLine(piece) ? "  " : " ") : spelled(piece);
    keys.push(matchCase ? spelling : spelling.toLowerCase());
    starts.push(point);
    for (const _ of piece) point++;
  }
  return { keys, starts: [...starts, point] };
}

/** @param {string} blank white space */
function hasEmptyLine(blank) {
  return blank.replaceAll("\r\n", "\n").replaceAll("\r", "\n").split("\n").length > 2;
}
