/** What a person has to know and that does not go away by itself: each stays until it is read, or no longer true. */
import { h } from "./dom.js";

export class Alerts {
  /** @param {string} close what the button says that takes one away */
  constructor(close) {
    this.close = close;
    this.element = h("div.alerts", { role: "alert" });
    /** @type {Map<string, HTMLElement>} */
    this.shown = new Map();
  }

  /**
   * @param {string} id one of the same id is replaced
   * @param {string} text
   * @param {...{name: string, run: () => void}} actions
   */
  show(id, text, ...actions) {
    const line = h("p", { data: { alert: id } }, h("span", { dir: "auto" }, text),
      ...actions.map(({ name, run }) => h("button", { type: "button", onclick: run }, name)),
      h("button.close", { type: "button", title: this.close, "aria-label": this.close, onclick: () => this.hide(id) }, "×"));
    this.hide(id);
    this.shown.set(id, line);
    this.element.append(line);
  }

  /** @param {string} id */
  hide(id) {
    this.shown.get(id)?.remove();
    this.shown.delete(id);
  }
}
