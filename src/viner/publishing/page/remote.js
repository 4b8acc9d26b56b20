/** The recognizer as the page sees it: a worker that answers texts. */

/** @typedef {{code: string, values: Record<string, any>}} Trouble */

export class Remote {
  /**
   * @param {any} published what the page says about its model and files
   * @param {{progress: (bytes: number) => void, window: (done: number, of: number) => void}} listener
   */
  constructor(published, listener) {
    this.listener = listener;
    /** @type {Map<number, {resolve: (document: any) => void, reject: (trouble: Trouble) => void}>} */
    this.waiting = new Map();
    this.count = 0;
    /** Why the worker is gone, once it is. @type {Trouble | null} */
    this.broken = null;
    /** @type {Promise<{differs: boolean}>} */
    this.ready = new Promise((resolve, reject) => {
      try {
        this.worker = startWorker();
      } catch (error) {
        reject({ code: "broken", values: { detail: String(error) } });
        return;
      }
      this.worker.addEventListener("message", ({ data }) => this.hear(data, resolve, reject));
      this.worker.addEventListener("error", (event) => this.fail({ code: "broken", values: { detail: event.message ?? "" } }, reject));
      this.worker.postMessage({ type: "start", page: document.baseURI, published });
    });
    this.ready.catch(() => {});
  }

  /** @param {string} text @returns {Promise<import("./recognizer.js").Document>} */
  async recognize(text) {
    await this.ready;
    if (this.broken) throw this.broken; // nobody would answer
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker?.postMessage({ type: "recognize", id, text });
    });
  }

  /** @param {any} data @param {(state: any) => void} resolve @param {(trouble: Trouble) => void} reject */
  hear(data, resolve, reject) {
    if (data.type === "progress") this.listener.progress(data.bytes);
    else if (data.type === "window") this.listener.window(data.done, data.of);
    else if (data.type === "ready") resolve({ differs: data.differs });
    else if (data.type === "failed") this.fail(data, reject);
    else {
      const asked = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.type === "answer") asked?.resolve(data.document);
      else asked?.reject(data);
    }
  }

  /** @param {Trouble} trouble @param {(trouble: Trouble) => void} reject */
  fail(trouble, reject) {
    this.broken = trouble;
    reject(trouble);
    this.worker?.terminate();
    for (const asked of this.waiting.values()) asked.reject(trouble);
    this.waiting.clear();
  }
}

/** Started from a blob, a worker is bound by this page's content security policy; from its own address it would not be. */
function startWorker() {
  const module = new URL("./worker.js", import.meta.url).href;
  const address = URL.createObjectURL(new Blob([`import ${JSON.stringify(module)};`], { type: "text/javascript" }));
  return new Worker(address, { type: "module" });
}
