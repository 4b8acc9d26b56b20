/** Elements without HTML strings: whatever a document or a person wrote goes in as text. */

/**
 * @param {string} tag with classes: "button.primary"
 * @param {Record<string, any>} [properties] "on…" = listeners, "data" = data attributes, what an element has no property for = attributes
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "color") element.style.setProperty("--type", value);
    else if (key in element && !key.includes("-")) /** @type {any} */ (element)[key] = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map((child) => child || ""));
  return element;
}

/** A key as it stands in hints. @param {string} name */
export function keycap(name) {
  return h("kbd", {}, name);
}

/**
 * Shows a modal dialog; it closes with Escape and takes itself out of the page.
 * @param {string} kind class of the dialog
 * @param {string} title
 * @param {(close: (value?: any) => void) => Node[]} fill
 * @param {{required?: boolean, close?: string}} [options] required: it cannot be closed without an answer
 * @returns {Promise<any>} what `close` was given, null after Escape
 */
export function dialog(kind, title, fill, { required = false, close: closeText = "" } = {}) {
  return new Promise((resolve) => {
    /** @type {any} */
    let value = null;
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const element = /** @type {HTMLDialogElement} */ (h(`dialog.${kind}`, { "aria-labelledby": `${kind}-title` }));
    const close = (/** @type {any} */ answer = null) => {
      value = answer;
      element.close();
    };
    const button = required ? null : h("button.close", { type: "button", title: closeText, "aria-label": closeText, onclick: () => close() }, "×");
    element.append(h("header", {}, h("h2", { id: `${kind}-title` }, title), button), ...fill(close));
    element.addEventListener("cancel", (event) => required && event.preventDefault());
    element.addEventListener("keydown", (event) => required && event.key === "Escape" && event.preventDefault());
    element.addEventListener("click", (event) => !required && event.target === element && close());
    element.addEventListener("close", () => {
      element.remove();
      before?.focus({ preventScroll: true });
      resolve(value);
    });
    document.body.append(element);
    element.showModal();
    /** @type {HTMLElement | null} */ (element.querySelector("[autofocus]"))?.focus();
  });
}
