/** The choice between two edits of the same thing. */
import { dialog, h, keycap } from "./dom.js";
import { Text } from "./offsets.js";

/**
 * @param {any} document as the server has it
 * @param {import("./rebase.js").Clash[]} clashes
 * @param {(key: string, values?: Record<string, any>) => string} say
 * @returns {Promise<("mine" | "theirs")[]>}
 */
export async function askClash(document, clashes, say) {
  const text = new Text(document.text);
  /** @type {("mine" | "theirs")[]} */
  const choices = [];
  for (const clash of clashes) {
    const lost = clash.kind === "label";
    choices.push(
      await dialog("clash", say("clash_title"), (close) => {
        const button = (/** @type {"mine" | "theirs"} */ side, /** @type {string} */ key) =>
          h("button", { type: "button", data: { side }, autofocus: side === "theirs", onclick: () => close(side) },
            h("span", {}, keycap(key), " ", say(`clash_${side}`)), h("span.version", { dir: "auto" }, describe(side === "mine" ? clash.mine : clash.theirs, text, say)));
        const body = h("div.body", {},
          h("p", {}, lost ? say("clash_label_gone", { label: clash.mine.label }) : say("clash_text")),
          h("p.note", {}, say("clash_in", { id: document.id })),
          lost
            ? h("div.sides", {}, h("p.version", {}, describe(clash.mine, text, say)), h("button.primary", { type: "button", autofocus: true, onclick: () => close("theirs") }, say("understood")))
            : h("div.sides", {}, button("mine", "1"), button("theirs", "2")));
        body.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
          const side = /^(Digit|Numpad)1$/.test(event.code) ? "mine" : /^(Digit|Numpad)2$/.test(event.code) ? "theirs" : null;
          const step = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].indexOf(event.key);
          if (lost || (!side && step < 0)) return;
          event.preventDefault();
          if (side) close(side);
          else body.querySelector(step % 2 === 0 ? '[data-side="mine"]' : '[data-side="theirs"]').focus();
        });
        return [body];
      }, { required: true }),
    );
  }
  return choices;
}

/**
 * @param {any} side an entity, a comment, classes or a status
 * @param {Text} text
 * @param {(key: string, values?: Record<string, any>) => string} say
 * @returns {string}
 */
function describe(side, text, say) {
  if (side === null || side === undefined) return say("clash_deleted");
  if (Array.isArray(side)) return side.join(", ") || "–";
  if (typeof side === "string") return say(`status_${side}`);
  if ("label" in side) return `${text.slice(side.start, side.end)} · ${side.label} · ${say(`state_${side.state}`)}`;
  return side.text;
}
