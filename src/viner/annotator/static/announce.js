/** What screen readers hear: the last thing said, a moment later, so that a held arrow key does not chatter. */

const PAUSE = 150;

export class Announcer {
  /** @param {HTMLElement} region with aria-live */
  constructor(region) {
    this.region = region;
    this.timer = 0;
  }

  /** @param {() => string} text made only when it is said */
  say(text) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => (this.region.textContent = text()), PAUSE);
  }
}
