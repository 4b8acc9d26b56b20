/** The dialog "label every …": a preview of this document, on demand of all, and the buttons. In all documents it may suggest only. */
import { api, reasonOf } from "./api.js";
import { dialog, h } from "./dom.js";
import { occurrences } from "./labelall.js";
import { newId } from "./model.js";

const STATUSES = ["todo", "started"];

/**
 * @param {import("./editor.js").Editor} editor
 * @param {(key: string, values?: Record<string, any>) => string} say
 * @param {(key: string, values?: Record<string, any>, action?: {name: string, run: () => void}) => void} notify
 * @param {() => Promise<void>} reload fetches the document on the page anew
 */
export function openLabelAll(editor, say, notify, reload) {
  const schema = /** @type {import("./schema.js").Schema} */ (editor.schema);
  const [here] = editor.here();
  const { start, end } = editor.focus() ?? editor.selection();
  const surface = editor.text.slice(...editor.words.trim(start, end));
  if (!surface) return Promise.resolve();
  return dialog("label-all", say("label_every_title", { surface: shorten(surface) }), (close) => {
    const label = h("select", { autofocus: true, "aria-label": say("as_label"), onchange: () => draw() }, ...schema.types.map(({ name }) => h("option", { value: name, selected: name === here?.label }, name)));
    const matchCase = h("input", { type: "checkbox", checked: true, onchange: () => draw() });
    const count = h("p", { role: "status" });
    const samples = h("ul.samples");
    const applyHere = h("button.primary", { type: "button" }, say("apply_here"));
    const preview = h("button", { type: "button" }, say("preview_everywhere"));
    const applyAll = h("button", { type: "button", hidden: true });
    const choice = (/** @type {boolean} */ checked) => h("input", { type: "radio", name: "everywhere-as", checked, onchange: () => draw() });
    const asEntities = choice(true);
    const asSuggestions = choice(false);
    const note = h("p.note", { id: "everywhere-note" });
    /** The same when it is sent again, since an answer may be lost on its way; the count is what the preview said. */
    let labeling = { operation: newId(), matches: 0 };
    const document = editor.state?.id;
    const wanted = () => ({ surface, label: label.value, matchCase: matchCase.checked });
    const sample = (/** @type {string} */ before, /** @type {string} */ marked, /** @type {string} */ after, /** @type {string} */ id) =>
      h("li", { dir: "auto" }, id ? h("b", {}, `${id} `) : null, before, h("mark", {}, marked), after);

    const counted = (/** @type {string} */ key, /** @type {Record<string, number>} */ values, /** @type {number} */ otherwise) =>
      [say(key, values), ...(otherwise ? [say("label_every_otherwise", { count: otherwise })] : [])].join(" · ");

    function draw() {
      const { spans, already, otherwise } = occurrences(editor.words, editor.state?.entities.values() ?? [], wanted());
      count.textContent = counted("label_every_here", { count: spans.length, already }, otherwise);
      applyHere.disabled = spans.length === 0;
      applyAll.hidden = true;
      applyAll.textContent = say(asSuggestions.checked ? "suggest_everywhere" : "apply_everywhere");
      note.textContent = say(asSuggestions.checked ? "as_suggestions_note" : "as_entities_note");
      preview.hidden = false;
      const { text } = editor;
      samples.replaceChildren(...spans.slice(0, 8).map((span) => sample(
        text.slice(Math.max(0, span.start - 40), span.start), text.slice(span.start, span.end), text.slice(span.end, Math.min(text.length, span.end + 40)), "")));
    }

    const asked = () => ({ surface, label: label.value, match_case: matchCase.checked, statuses: STATUSES, as_suggestions: asSuggestions.checked });
    applyHere.onclick = () => {
      close();
      // Under an open window the page may have gone on to another document.
      if (editor.state?.id === document) notify("labeled_here", { count: editor.labelAll(wanted()) });
      else notify("document_changed");
    };
    preview.onclick = async () => {
      try {
        await editor.outbox.flushed();
        const question = asked();
        const found = await api.previewLabelAll(question);
        if (JSON.stringify(question) !== JSON.stringify(asked())) return;
        const { documents, matches, already, otherwise } = found;
        count.textContent = counted(asSuggestions.checked ? "suggest_every_others" : "label_every_others", { documents, count: matches, already }, otherwise);
        samples.replaceChildren(...found.samples.slice(0, 12).map((/** @type {any} */ one) => sample(one.before, one.surface, one.after, one.id)));
        labeling = { operation: newId(), matches: found.matches };
        applyAll.hidden = found.matches === 0;
        preview.hidden = true;
        if (!applyAll.hidden) applyAll.focus();
      } catch (error) {
        count.textContent = say("not_done", { reason: reasonOf(error) });
      }
    };
    applyAll.onclick = async () => {
      const { operation, matches } = labeling;
      const told = asSuggestions.checked ? "suggested_everywhere" : "labeled_everywhere";
      applyAll.disabled = true;
      try {
        const done = await api.labelAll({ operation, ...asked() });
        close();
        await reload();
        const count = done.replayed ? matches : done.matches;
        if (!done.documents) return notify(told, { count, documents: 0 }); // somebody else was faster: nothing to take back
        const step = editor.labeledEverywhere(operation);
        notify(told, { count, documents: done.documents }, { name: say("undo_everywhere"), run: () => void editor.undoEverywhere(step) });
      } catch (error) {
        applyAll.disabled = false;
        count.textContent = say("not_done", { reason: reasonOf(error) });
      }
    };
    const everywhere = h("fieldset.filters", { "aria-describedby": note.id },
      h("legend", {}, say("in_all_documents")), h("label", {}, asEntities, say("as_entities")), h("label", {}, asSuggestions, say("as_suggestions")), note);
    draw();
    return [h("div.body", {}, h("div.filters", {}, h("label", {}, say("as_label"), label), h("label", {}, matchCase, say("match_case"))), everywhere, count, samples), h("footer", {}, applyHere, preview, applyAll)];
  }, { close: say("close") });
}

/** @param {string} surface */
function shorten(surface) {
  return surface.length > 60 ? `${surface.slice(0, 57)}…` : surface;
}
