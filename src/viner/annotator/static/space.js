/** White space as the server counts it. JavaScript has a byte order mark among it, and lacks five control characters. */

export const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const pattern = new RegExp(SPACE);

/** How many characters of white space a text begins and ends with. @param {string} text @returns {[number, number]} */
export function margins(text) {
  let lead = 0;
  while (lead < text.length && pattern.test(text[lead])) lead++;
  let trail = 0;
  while (lead + trail < text.length && pattern.test(text[text.length - trail - 1])) trail++;
  return [lead, trail];
}
