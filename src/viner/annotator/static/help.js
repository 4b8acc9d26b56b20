/** The page of keys, and the guideline of the project. */
import { dialog, h, keycap } from "./dom.js";

/** Every key that the page knows: group → [keys, message]. */
export const KEY_TABLE = /** @type {Record<string, [string[], string][]>} */ ({
  group_move: [
    [["←", "→"], "key_move"], [["↑", "↓"], "key_line"], [["Ctrl+←", "Ctrl+→"], "key_sentence"], [["Ctrl+↑", "Ctrl+↓"], "key_paragraph"],
    [["Home", "End"], "key_line_end"], [["Ctrl+Home", "Ctrl+End"], "key_text_end"], [["PageUp", "PageDown"], "key_screen"],
    [["Shift"], "key_extend"], [["/"], "key_search"], [["F3"], "key_search_again"], [["Esc"], "key_escape"],
  ],
  group_suggestions: [
    [["Enter"], "key_accept"], [["Delete", "Backspace"], "key_remove"], [["Space"], "key_suggestion"], [["Shift+Enter"], "key_accept_all"],
  ],
  group_label: [
    [["1 … 9", "0"], "key_label"], [["=", "Ctrl+K"], "key_palette"], [["Alt+←", "Alt+→"], "key_resize_end"], [["Alt+Shift+←", "Alt+Shift+→"], "key_resize_start"],
    [["Ctrl+Alt+…"], "key_resize_character"], [["Alt+↑", "Alt+↓"], "key_enclosing"], [["*"], "key_label_all"], [["'"], "key_comment"],
  ],
  group_document: [
    [["Ctrl+Enter"], "key_done"], [["-"], "key_skip"], [[",", "."], "key_documents_back"], [["Ctrl+Z"], "key_undo"], [["Ctrl+Shift+Z", "Ctrl+Y"], "key_redo"],
    [["!"], "key_flag"], [["F2"], "key_documents"], [["F4"], "key_document_labels"], [["F1", "?"], "key_help"],
  ],
});

/**
 * @param {{schema: import("./schema.js").Schema, guideline: string | null}} project
 * @param {(key: string, values?: Record<string, any>) => string} say
 */
export function openHelp({ schema, guideline }, say) {
  return dialog("help", say("help_title"), () => [
    h("div.columns", { tabIndex: 0, autofocus: true },
      h("section.keys", {},
        h("h3", {}, say("help_keys")),
        h("p.note", {}, say("help_telex")),
        ...Object.entries(KEY_TABLE).map(([group, rows]) =>
          h("table", {}, h("caption", {}, say(group)),
            h("tbody", {}, ...rows.map(([keys, message]) => h("tr", {}, h("th", { scope: "row" }, ...keys.map(keycap)), h("td", {}, say(message))))))),
        h("p.note", {}, say("mouse_drag")),
        h("p.note", {}, say("touch_tap")),
      ),
      h("section", {},
        h("h3", {}, say("labels")),
        h("dl.labels", {}, ...schema.types.flatMap((type) => [
          h("dt", { color: `var(--type-${schema.position(type.name)})` }, h("i.swatch"), h("b", {}, type.name), ...schema.keysOf(type.name).map((key) => keycap(key))),
          h("dd", {}, type.description ?? ""),
        ])),
        h("h3", {}, say("help_guideline")),
        guideline ? h("div.guideline", {}, ...readGuideline(guideline)) : h("p.note", {}, say("help_no_guideline")),
      ),
    ),
  ], { close: say("close") });
}

/** Headings, lists, paragraphs and emphasis of a Markdown text; everything else stays as it was written. @param {string} markdown */
export function readGuideline(markdown) {
  /** @type {Node[]} */
  const nodes = [];
  /** @type {HTMLElement | null} */
  let list = null;
  for (const part of markdown.replace(/\r\n?/g, "\n").split(/\n(?:[ \t]*\n)+|\n(?=#|[ \t]*[-*] )/)) {
    const text = part.trim();
    if (!text) continue;
    const heading = /^#{1,6}\s+(.*)/.exec(text);
    const item = /^[-*]\s+([\s\S]*)/.exec(text);
    if (item) {
      if (!list) nodes.push((list = /** @type {HTMLElement} */ (h("ul"))));
      list.append(h("li", {}, ...inline(item[1])));
      continue;
    }
    list = null;
    nodes.push(heading ? h("h4", {}, ...inline(heading[1])) : h("p", {}, ...inline(text)));
  }
  return nodes;
}

/** @param {string} text @returns {(Node | string)[]} */
function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|\*[^*\s][^*]*\*|`[^`]+`)/).map((part) => {
    if (/^\*\*.+\*\*$/s.test(part)) return h("strong", {}, part.slice(2, -2));
    if (/^\*.+\*$/s.test(part)) return h("em", {}, part.slice(1, -1));
    return /^`.+`$/s.test(part) ? h("code", {}, part.slice(1, -1)) : part;
  });
}
