/** The palette: everything that can be done, found by typing a part of its name; tone marks do not matter. */
import { dialog, h, keycap } from "./dom.js";
import { fold } from "./search.js";

/**
 * @typedef {{name: string, key?: string | null, color?: string | null, detail?: string | null, run: () => void}} Choice
 */

/**
 * Choices that match, best first: the whole name, its beginning, the beginning of a word in it, anywhere.
 * @template {{name: string}} T
 * @param {T[]} choices
 * @param {string} query
 * @returns {T[]}
 */
export function matching(choices, query) {
  const wanted = fold(query.trim());
  if (wanted === "") return choices;
  const rank = (/** @type {T} */ { name }) => {
    const folded = fold(name);
    if (folded === wanted) return 0;
    if (folded.startsWith(wanted)) return 1;
    const at = folded.indexOf(wanted);
    if (at > 0) return /[\s_:.-]/.test(folded[at - 1]) ? 2 : 3;
    return inSequence(folded, wanted) ? 4 : -1;
  };
  return choices
    .map((choice, order) => ({ choice, order, rank: rank(choice) }))
    .filter((ranked) => ranked.rank >= 0)
    .sort((one, other) => one.rank - other.rank || one.order - other.order)
    .map((ranked) => ranked.choice);
}

/** Whether the letters of a query stand in a name in that order. @param {string} name @param {string} query */
function inSequence(name, query) {
  let at = -1;
  for (const letter of query) if ((at = name.indexOf(letter, at + 1)) < 0) return false;
  return true;
}

/**
 * @param {Choice[]} choices
 * @param {(key: string, values?: Record<string, any>) => string} say
 */
export async function openPalette(choices, say) {
  /** @type {Choice | null} */
  const chosen = await dialog("palette", say("palette_title"), (close) => {
    /** @type {Choice[]} */
    let shown = choices;
    let at = 0;
    const list = h("ul", { role: "listbox", id: "palette-list", "aria-label": say("palette_title") });
    const input = h("input", {
      type: "text", autofocus: true, autocomplete: "off", spellcheck: false, placeholder: say("palette_hint"), "aria-label": say("palette_hint"),
      role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list",
    });
    const draw = () => {
      list.replaceChildren(
        ...shown.slice(0, 200).map((choice, k) =>
          h("li", { role: "option", id: `choice-${k}`, "aria-selected": String(k === at), onclick: () => close(choice), color: choice.color ?? undefined },
            choice.color ? h("i.swatch") : null, h("span", {}, choice.name), choice.detail ? h("small", {}, choice.detail) : null,
            choice.key ? keycap(choice.key) : null),
        ),
      );
      if (!shown.length) list.append(h("li.none", {}, say("palette_none")));
      input.setAttribute("aria-activedescendant", shown.length ? `choice-${at}` : "");
      list.children[at]?.scrollIntoView({ block: "nearest" });
    };
    input.addEventListener("input", () => {
      shown = matching(choices, input.value);
      at = 0;
      draw();
    });
    input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        at = (at + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % Math.max(1, shown.length);
        draw();
      } else if (event.key === "Enter" && !event.isComposing) close(shown[at] ?? null);
      else return;
      event.preventDefault();
    });
    draw();
    return [input, list];
  }, { close: say("close") });
  chosen?.run();
}
