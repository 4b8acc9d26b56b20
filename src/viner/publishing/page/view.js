/** A recognized document as elements: the marked text, the legend, the table. Whatever a text or a label says goes in as text. */
import { h } from "./dom.js";
import { Text } from "./offsets.js";

/** The table ends after so many rows; the download holds all. */
const TABLE_ROWS = 2000;

/**
 * @typedef {{name: string, color: string, description?: string}} Type
 * @typedef {(key: string, values?: Record<string, any>) => string} Say
 */

/** Control characters as their pictures; tab and line ends stay. @param {string} text */
export function visible(text) {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\0-\x08\v\f\x0e-\x1f\x7f]/g, (char) => String.fromCharCode(char === "\x7f" ? 0x2421 : 0x2400 + char.charCodeAt(0)));
}

/** A score for people, rounded down so that only certainty shows as 100. @param {number} score */
function percent(score) {
  return `${Math.floor(score * 100 + 1e-9)} %`;
}

/**
 * @param {import("./recognizer.js").Document} document
 * @param {Type[]} types
 */
export function markedText(document, types) {
  const text = new Text(document.text);
  const colors = new Map(types.map((type) => [type.name, type.color]));
  /** @type {(string | Node)[]} */
  const parts = [];
  let at = 0;
  document.entities.forEach(({ start, end, label, score }, k) => {
    const surface = visible(text.slice(start, end));
    parts.push(visible(text.slice(at, start)));
    parts.push(
      h("span.entity", {
        id: `entity-${k}`, tabIndex: 0, role: "group", color: colors.get(label), title: `${label} · ${percent(score)}`,
        "aria-label": `${surface}: ${label}, ${percent(score)}`, data: { label },
      }, surface),
    );
    at = end;
  });
  parts.push(visible(text.slice(at, text.length)));
  return h("div.text", { dir: "auto" }, ...parts);
}

/** @param {import("./recognizer.js").Document} document @param {Type[]} types @param {Say} say */
export function legend(document, types, say) {
  const counts = new Map();
  for (const { label } of document.entities) counts.set(label, (counts.get(label) ?? 0) + 1);
  const items = types.map(({ name, color, description }) =>
    h("li", { color, title: description, class: counts.has(name) ? "" : "none" }, h("i.swatch"), name, " ", h("b", {}, String(counts.get(name) ?? 0))),
  );
  return h("ul.legend", { "aria-label": say("types") }, ...items);
}

/** @param {import("./recognizer.js").Document} document @param {Type[]} types @param {Say} say */
export function table(document, types, say) {
  const text = new Text(document.text);
  const colors = new Map(types.map((type) => [type.name, type.color]));
  const rows = document.entities.slice(0, TABLE_ROWS).map(({ start, end, label, score }, k) =>
    h("tr", {},
      h("td.surface", { dir: "auto" }, h("a", { href: `#entity-${k}`, onclick: (/** @type {Event} */ event) => follow(event, k) }, visible(text.slice(start, end)))),
      h("td", {}, h("span.chip", { color: colors.get(label) }, ...breakable(label))),
      h("td.number", {}, percent(score)),
      h("td.number", {}, `${start}–${end}`)),
  );
  const head = ["entity", "type", "score", "position"].map((column) => h("th", { scope: "col" }, say(column)));
  const grid = h("div.table", { tabIndex: 0, role: "region", "aria-label": say("entities") },
    h("table", {}, h("caption", {}, say("entities")), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)));
  const count = document.entities.length;
  return count > TABLE_ROWS ? [grid, h("p.note", {}, say("rows_cut", { shown: TABLE_ROWS, count }))] : [grid];
}

/** A label that may go on in a new line behind an underscore. @param {string} label */
function breakable(label) {
  return label.split(/(?<=_)/u).flatMap((part, k) => (k ? [h("wbr"), part] : [part]));
}

/** Goes to an entity of the text without a change of address. @param {Event} event @param {number} k */
function follow(event, k) {
  event.preventDefault();
  document.getElementById(`entity-${k}`)?.focus();
}
