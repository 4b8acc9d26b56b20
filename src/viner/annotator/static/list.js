/** The list of documents with its filters; arrow keys walk through it, Enter opens. */
import { api } from "./api.js";
import { dialog, h } from "./dom.js";

/** The filters as they were left: whoever works through a filtered list opens it again and again. @type {Record<string, any>} */
const last = {};

/**
 * @param {import("./schema.js").Schema} schema
 * @param {string | null} current id of the document on the page
 * @param {(key: string, values?: Record<string, any>) => string} say
 * @returns {Promise<string | null>} id of the document to open
 */
export function openList(schema, current, say) {
  return dialog("list", say("list_title"), (close) => {
    const list = h("ul", { role: "listbox", tabIndex: 0, "aria-label": say("list_title") });
    const select = (/** @type {string} */ label, /** @type {[string, string][]} */ options) =>
      h("select", { "aria-label": label, onchange: () => void load() }, h("option", { value: "" }, `${label}: ${say("list_any")}`), ...options.map(([value, name]) => h("option", { value }, name)));
    const status = select(say("list_status"), ["todo", "started", "done", "skipped"].map((name) => [name, say(`status_${name}`)]));
    const split = select(say("list_split"), ["train", "dev", "test"].map((name) => [name, say(`split_${name}`)]));
    const label = select(say("list_label"), schema.types.map(({ name }) => [name, name]));
    const box = (/** @type {string} */ name) => h("input", { type: "checkbox", onchange: () => void load(), "aria-label": name });
    const flagged = box(say("list_flagged"));
    const commented = box(say("list_commented"));
    const controls = { status, split, label, flagged, commented };
    for (const [name, control] of Object.entries(controls)) {
      const property = control.type === "checkbox" ? "checked" : "value";
      if (name in last) control[property] = last[name];
      control.addEventListener("change", () => (last[name] = control[property]));
    }
    let timer = 0;
    const query = h("input", {
      type: "search", autofocus: true, placeholder: say("list_query"), "aria-label": say("list_query"), spellcheck: false,
      oninput: () => ((last.query = query.value), clearTimeout(timer), (timer = window.setTimeout(load, 200))),
      value: last.query ?? "",
    });
    /** @type {any[]} */
    let rows = [];
    /** @type {number | null} */
    let next = null;
    let at = 0;
    let asked = 0;

    async function load(more = false) {
      const ask = ++asked;
      try {
        const answer = await api.documents({
          q: query.value, status: status.value, split: split.value, label: label.value, flagged: flagged.checked, commented: commented.checked,
          limit: 50, after: more ? next : null,
        });
        if (ask !== asked) return;
        rows = more ? [...rows, ...answer.documents] : answer.documents;
        next = answer.next ?? null;
        if (!more) at = Math.max(0, rows.findIndex((row) => row.id === current));
        draw();
      } catch (error) {
        list.replaceChildren(h("li.none", {}, say("not_done", { reason: /** @type {Error} */ (error).message })));
      }
    }

    function draw() {
      list.replaceChildren(
        ...rows.map((row, k) =>
          h("li", { role: "option", id: `row-${k}`, "aria-selected": String(k === at), onclick: () => close(row.id) },
            h(`span.status.${row.status}`, {}, say(`status_${row.status}`)),
            h("b", {}, row.id),
            h("span.excerpt", { dir: "auto" }, row.excerpt),
            h("small", {}, say("list_counts", row), row.comments ? ` · ${say("count_comments", { count: row.comments })}` : "", row.flagged ? " · ⚑" : "", ` · ${say(`split_${row.split}`)}`)),
        ),
      );
      if (!rows.length) list.append(h("li.none", {}, say("list_none")));
      if (next !== null) list.append(h("li", { role: "presentation" }, h("button", { type: "button", onclick: () => void load(true) }, say("list_more"))));
      show();
    }

    function show() {
      [...list.children].forEach((row, k) => row.getAttribute("role") === "option" && row.setAttribute("aria-selected", String(k === at)));
      list.children[at]?.scrollIntoView({ block: "nearest" });
      list.setAttribute("aria-activedescendant", rows.length ? `row-${at}` : "");
    }

    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.isComposing || /** @type {HTMLElement} */ (event.target).tagName === "SELECT") return;
      const step = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 })[event.key];
      if (step) {
        if (step > 0 && at === rows.length - 1 && next !== null) void load(true);
        at = Math.max(0, Math.min(rows.length - 1, at + step));
        show();
      } else if (event.key === "Enter" && rows[at] && /** @type {HTMLElement} */ (event.target).tagName !== "BUTTON") close(rows[at].id);
      else return;
      event.preventDefault();
    };
    void load();
    return [h("div.filters", { onkeydown: onKey }, query, status, split, label, h("label", {}, flagged, say("list_flagged")), h("label", {}, commented, say("list_commented"))), h("div.rows", { onkeydown: onKey }, list)];
  }, { close: say("close") });
}
