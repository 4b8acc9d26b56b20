/** Measurements for the browser's tools: `viner-paint` from the key to the painted frame, `viner-ack` to the server's answer. */

const MOST = 2000;

export class Measures {
  constructor() {
    /** Time stamp of the key that is being handled. @type {number | undefined} */
    this.key = undefined;
    this.count = 0;
  }

  /** @param {number} timeStamp */
  pressed(timeStamp) {
    this.key = timeStamp;
  }

  /** Called when the key is handled; the frame that shows it is over when a message posted in it arrives. */
  painted() {
    const start = this.key;
    this.key = undefined;
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        this.#measure("viner-paint", start);
        port1.close();
      };
      port2.postMessage(null);
    });
  }

  /** @param {{key?: number}} entry */
  acknowledged({ key }) {
    this.#measure("viner-ack", key);
  }

  /** @param {string} name @param {number | undefined} start */
  #measure(name, start) {
    if (start === undefined || start > performance.now()) return;
    if (++this.count % MOST === 0) performance.clearMeasures();
    performance.measure(name, { start, end: performance.now() });
  }
}
