/**
 * From a key to a command. No command needs a letter, since Vietnamese typing tools (Telex) turn letters into others, and digits
 * are read from the physical key, since others (VNI) compose them.
 *
 * @typedef {{name: string, [argument: string]: any}} Command
 * @typedef {Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "altKey" | "shiftKey" | "metaKey" | "isComposing" | "keyCode" | "timeStamp">} Key
 */

/** Milliseconds within which a Backspace after a character comes from a typing tool: no finger is that fast. */
export const TOOL_BACKSPACE_MS = 50;

/** What the physical keys mean when a composing tool hides the character (keyCode 229). */
const BY_CODE = /** @type {Record<string, string>} */ ({
  Minus: "-", Equal: "=", Slash: "/", Quote: "'", Comma: ",", Period: ".", Space: " ", Enter: "Enter", Backspace: "Backspace",
  Delete: "Delete", Escape: "Escape", ArrowLeft: "ArrowLeft", ArrowRight: "ArrowRight", ArrowUp: "ArrowUp", ArrowDown: "ArrowDown",
});

/** @type {Record<string, Command>} */
const PLAIN = {
  " ": { name: "suggestion", direction: 1 },
  Enter: { name: "accept" },
  Delete: { name: "remove" },
  Backspace: { name: "remove" },
  Escape: { name: "escape" },
  "-": { name: "skip" },
  "=": { name: "palette" },
  "/": { name: "search" },
  "?": { name: "help" },
  "'": { name: "comment" },
  "!": { name: "flag" },
  "*": { name: "labelAll" },
  ",": { name: "previousDocument" },
  ".": { name: "nextDocument" },
  F1: { name: "help" },
  F2: { name: "documents" },
  F3: { name: "searchAgain", direction: 1 },
  F4: { name: "documentLabels" },
};

/** Keys that a type may not take for itself. */
export const TAKEN = new Set([...Object.keys(PLAIN), "+", "Tab"]);

export class Keys {
  /** @param {Map<string, string>} [own] keys that the schema gives to labels: key → label */
  constructor(own = new Map()) {
    this.own = own;
    this.lastCharacter = -Infinity;
  }

  /**
   * @param {Key} event
   * @returns {Command | null} null: the key is the browser's
   */
  read(event) {
    const composing = event.isComposing || event.keyCode === 229;
    const key = composing ? (BY_CODE[event.code] ?? event.key) : event.key;
    const control = event.ctrlKey || event.metaKey;
    const { altKey: alt, shiftKey: shift } = event;

    if (!control && !alt && key === "Backspace" && event.timeStamp - this.lastCharacter < TOOL_BACKSPACE_MS) {
      // A tool that hooks the keyboard (UniKey) erases with Backspace what it is about to write anew.
      this.lastCharacter = event.timeStamp;
      return { name: "typingTool" };
    }
    const digit = digitOf(event, composing);
    if (!control && !alt && (digit !== null || (key.length === 1 && key !== " "))) this.lastCharacter = event.timeStamp;

    if (/^Arrow/.test(key)) return arrow(key, control, alt, shift);
    if (key === "Home" || key === "End") {
      const direction = key === "Home" ? -1 : 1;
      return alt ? null : { name: control ? "textEnd" : "lineEnd", direction, extend: shift };
    }
    if (key === "PageUp" || key === "PageDown") {
      return control || alt ? null : { name: "screen", direction: key === "PageUp" ? -1 : 1, extend: shift };
    }
    if (key === "Enter" && control) return { name: "done" };
    if (control) return alt ? null : controlled(key, event.code, shift);
    if (alt) return null;
    if (key === "Enter" && shift) return { name: "acceptAll" };
    if (key === " " && shift) return { name: "suggestion", direction: -1 };
    if (key === "F3" && shift) return { name: "searchAgain", direction: -1 };
    if (this.own.has(key)) return { name: "label", label: this.own.get(key) };
    if (digit !== null) return { name: "label", index: (digit + 9) % 10 };
    if (Object.hasOwn(PLAIN, key)) return PLAIN[key];
    if (composing || (key.length === 1 && key > "~")) return { name: "typingTool" };
    return null;
  }
}

/**
 * The digit of a key: what it writes, else the physical key of the top row (layouts that need Shift for digits, VNI tools).
 * @param {Key} event
 * @param {boolean} composing
 */
function digitOf(event, composing) {
  if (/^[0-9]$/.test(event.key)) return Number(event.key);
  const code = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  return code && !event.shiftKey && (composing || event.key.length === 1) ? Number(code[1]) : null;
}

/**
 * @param {string} key
 * @param {boolean} control
 * @param {boolean} alt
 * @param {boolean} shift
 * @returns {Command}
 */
function arrow(key, control, alt, shift) {
  const direction = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  const vertical = key === "ArrowUp" || key === "ArrowDown";
  if (alt && !vertical) return { name: "resize", border: shift ? "start" : "end", direction, unit: control ? "character" : "word" };
  if (alt) return { name: "enclosing", direction };
  if (control) return { name: "jump", unit: vertical ? "line" : "sentence", direction, extend: shift };
  return { name: vertical ? "moveLine" : "move", direction, extend: shift };
}

/**
 * @param {string} key
 * @param {string} code
 * @param {boolean} shift
 * @returns {Command | null}
 */
function controlled(key, code, shift) {
  const letter = /^Key([A-Z])$/.exec(code)?.[1].toLowerCase() ?? "";
  const named = /^[a-z]$/i.test(key) ? key.toLowerCase() : letter;
  if (named === "z") return { name: shift ? "redo" : "undo" };
  if (named === "y" && !shift) return { name: "redo" };
  if (named === "k" && !shift) return { name: "palette" };
  if (named === "s" && !shift) return { name: "saveNow" };
  if (named === "a" && !shift) return null;
  return null;
}
