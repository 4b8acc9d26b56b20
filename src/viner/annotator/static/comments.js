/** Comments on a document or on one of its entities. */
import { dialog, h } from "./dom.js";
import { newId } from "./model.js";

/** What was typed and not saved, by document: Escape closes the window, and what was typed is there when it opens again. @type {Map<string, string>} */
const drafts = new Map();

/**
 * @param {import("./editor.js").Editor} editor
 * @param {(key: string, values?: Record<string, any>) => string} say
 * @param {(key: string, values?: Record<string, any>) => void} notify
 */
export function openComments(editor, say, notify) {
  const about = editor.focus();
  const id = editor.state?.id;
  const place = JSON.stringify([id, about?.id ?? null]);
  /** Under an open window the page may have gone on to another document, which the comment is not about. */
  const moved = () => editor.state?.id !== id;
  return dialog("comments", say("comments"), (close) => {
    const list = h("ul");
    const input = h("textarea", { autofocus: true, rows: 3, placeholder: say("comment_hint"), "aria-label": say("comment_hint"), value: drafts.get(place) ?? "" });
    input.addEventListener("input", () => drafts.set(place, input.value));
    const surface = (/** @type {any} */ entity) => say("comment_about", { surface: editor.text.slice(entity.start, entity.end), label: entity.label });
    const left = () => {
      close();
      notify(drafts.has(place) ? "comment_left" : "document_changed", { id });
    };
    const draw = () => {
      const known = editor.state?.comments ?? [];
      list.replaceChildren(
        ...known.map((comment) => {
          const entity = comment.entity ? editor.state?.entities.get(comment.entity) : null;
          return h("li", {},
            h("small", {}, [comment.who, comment.at ? when(comment.at) : "", entity ? surface(entity) : ""].filter(Boolean).join(" · ")),
            h("p", { dir: "auto" }, comment.text),
            h("button.quiet", { type: "button", "aria-label": say("comment_delete"), title: say("comment_delete"), onclick: () => {
              if (moved()) return left();
              editor.commit({ comments: { delete: [comment.id] } });
              draw();
            } }, "×"));
        }),
      );
      if (!known.length) list.append(h("li.none", {}, say("comment_none")));
    };
    const save = () => {
      const text = input.value.trim();
      if (moved()) return left();
      drafts.delete(place);
      if (text) editor.commit({ comments: { put: [{ id: newId(), text, ...(about ? { entity: about.id } : {}) }] } });
      close();
    };
    input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        save();
      }
    });
    draw();
    return [list, h("label", {}, about ? surface(about) : say("comment_document"), input), h("footer", {}, h("button.primary", { type: "button", onclick: save }, say("comment_save")))];
  }, { close: say("close") });
}

/** @param {string | number} at ISO date, or seconds */
function when(at) {
  const date = typeof at === "number" ? new Date(at * 1000) : new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" });
}
