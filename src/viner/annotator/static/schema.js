/** The schema as the page needs it: the labels of entities with color and key, and the layers of document labels. */
import { TAKEN } from "./keys.js";

/**
 * @typedef {{name: string, description?: string | null, color: string, key?: string | null}} Type
 * @typedef {{name: string, kind: string, types: Type[], multiple?: boolean}} Layer
 */

const COLOR = /^#[0-9a-f]{6}$/i;
const UNKNOWN = "#64748b";
/** Of text to its ground: WCAG 2, level AA. */
const CONTRAST = 4.5;

export class Schema {
  /** @param {{layers: Layer[], version: number}} data */
  constructor(data) {
    this.version = data.version;
    /** Types of the entity layers, in order. @type {Type[]} */
    this.types = data.layers.filter((layer) => layer.kind === "entities").flatMap((layer) => layer.types);
    /** Layers that classify the document. @type {Layer[]} */
    this.documentLayers = data.layers.filter((layer) => layer.kind === "labels");
    this.positions = new Map(this.types.map((type, index) => [type.name, index]));
    /** Keys that types have of their own. @type {Map<string, string>} */
    this.ownKeys = new Map();
    for (const { name, key } of this.types) {
      if (key && key.length === 1 && !/[0-9]/.test(key) && !TAKEN.has(key)) this.ownKeys.set(key, name);
    }
    const digits = this.types.filter(({ key }) => key && /^[0-9]$/.test(key));
    /** Labels by digit: index 0 is the key 1, index 9 the key 0. @type {(string | null)[]} */
    this.digits = new Array(10).fill(null);
    for (const { name, key } of digits) this.digits[(Number(key) + 9) % 10] ??= name;
    // A letter of its own fails under a tool that composes letters (Telex): such a type has a digit, too, where one is left.
    const own = new Set(this.ownKeys.values());
    const rest = this.types.filter(({ name }) => !this.digits.includes(name)).sort((one, other) => Number(own.has(one.name)) - Number(own.has(other.name)));
    for (const { name } of rest) {
      const free = this.digits.indexOf(null);
      if (free < 0) break;
      this.digits[free] = name;
    }
  }

  /** @param {string} label @returns {number} −1 for a label that the schema does not know */
  position(label) {
    return this.positions.get(label) ?? -1;
  }

  /** The key of a label as it is shown, or null. @param {string} label */
  keyOf(label) {
    return this.keysOf(label)[0] ?? null;
  }

  /** All keys of a label: its own, and its digit. @param {string} label @returns {string[]} */
  keysOf(label) {
    const keys = [...this.ownKeys].filter(([, name]) => name === label).map(([key]) => key);
    const digit = this.digits.indexOf(label);
    return digit < 0 ? keys : [...keys, String((digit + 1) % 10)];
  }

  /** Sets the colors, each one dark or light enough to be read, as variables that the style sheet and the text use. @param {HTMLElement} element */
  paint(element) {
    const set = (/** @type {number | string} */ index, /** @type {string} */ color) => {
      element.style.setProperty(`--type-${index}`, `light-dark(${readable(color, "#ffffff")}, ${readable(color, "#131c2e")})`);
      element.style.setProperty(`--tint-${index}`, `color-mix(in srgb, ${color} var(--tint), transparent)`);
    };
    this.types.forEach(({ color }, index) => set(index, COLOR.test(color) ? color : UNKNOWN));
    set(-1, UNKNOWN);
  }
}

/**
 * A color moved away from its ground until text in the one can be read on the other.
 * @param {string} color #rrggbb
 * @param {string} ground #rrggbb
 * @returns {string} rgb(…)
 */
export function readable(color, ground) {
  const from = channels(color);
  const away = luminance(channels(ground)) > 0.4 ? 0 : 255;
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = from.map((channel) => Math.round(channel + (away - channel) * share));
    const [low, high] = [luminance(mixed), luminance(channels(ground))].sort((one, other) => one - other);
    if ((high + 0.05) / (low + 0.05) >= CONTRAST) return `rgb(${mixed.join(" ")})`;
  }
  return `rgb(${away} ${away} ${away})`;
}

/** @param {string} color */
function channels(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

/** Relative luminance (WCAG 2). @param {number[]} rgb */
function luminance(rgb) {
  const [red, green, blue] = rgb.map((channel) => (channel <= 10 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
