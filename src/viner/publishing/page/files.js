/** The files of the page: fetched once with their progress, checked, and kept by the browser under their hash. */

/**
 * @typedef {object} File
 * @property {string} path relative to the page
 * @property {number} bytes
 * @property {string} sha256 hexadecimal
 * @property {boolean} packed whether it is gzip
 */

const CACHE = "viner-page";
/** Cached files lie under this path of the page, where no file is. */
const FOLDER = "cached/";

/** A file that cannot be had; `code` names a message of the page. */
export class FileError extends Error {
  /** @param {string} code @param {string} path @param {string} [detail] */
  constructor(code, path, detail = "") {
    super(`${path} ${detail}`);
    this.code = code;
    this.values = { path, detail };
  }
}

export class Files {
  /**
   * @param {string} page address of the page
   * @param {(bytes: number) => void} arrived called with what has come in of all files so far
   */
  constructor(page, arrived) {
    this.page = page;
    this.arrived = arrived;
    this.bytes = 0;
    /** What cannot be kept is fetched again next time: plain http and private windows have no such storage. */
    this.cache = globalThis.caches ? caches.open(CACHE).catch(() => null) : Promise.resolve(null);
  }

  /** @param {File} file @returns {Promise<Uint8Array>} its content, unpacked */
  async get(file) {
    const cache = await this.cache;
    const key = new URL(FOLDER + file.sha256, this.page).href;
    const kept = await cache?.match(key).catch(() => undefined);
    let content = kept ? new Uint8Array(await kept.arrayBuffer()) : null;
    if (content && !(await isWhole(content, file))) content = null;
    if (content) {
      this.count(file.bytes);
    } else {
      content = await this.fetch(file);
      // A full disk is no reason to stop.
      await cache?.put(key, new Response(content)).catch(() => {});
    }
    return file.packed ? unpack(content) : content;
  }

  /** @param {File} file @returns {Promise<Uint8Array>} */
  async fetch(file) {
    const content = await allocate(file);
    let size = 0;
    try {
      const response = await fetch(new URL(file.path, this.page));
      if (!response.ok || !response.body) throw new FileError("missing", file.path, String(response.status));
      const reader = response.body.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        if (size + part.value.length <= content.length) content.set(part.value, size);
        size += part.value.length;
        this.count(part.value.length);
      }
    } catch (error) {
      if (error instanceof FileError) throw error;
      throw new FileError("network", file.path, /** @type {Error} */ (error).message);
    }
    if (size !== file.bytes || !(await isWhole(content, file))) throw new FileError("changed", file.path, `${size} / ${file.bytes}`);
    return content;
  }

  /** @param {number} bytes */
  count(bytes) {
    this.bytes += bytes;
    this.arrived(this.bytes);
  }

  /** Forgets what earlier versions of this page kept. @param {File[]} files */
  async forgetOthers(files) {
    const cache = await this.cache;
    const folder = new URL(FOLDER, this.page).href;
    const own = new Set(files.map((file) => folder + file.sha256));
    for (const { url } of (await cache?.keys().catch(() => [])) ?? []) {
      if (url.startsWith(folder) && !own.has(url)) await cache?.delete(url).catch(() => false);
    }
  }
}

/** @param {File} file */
async function allocate({ bytes, path }) {
  try {
    return new Uint8Array(bytes);
  } catch {
    throw new FileError("memory", path);
  }
}

/** @param {Uint8Array} content @param {File} file */
async function isWhole(content, { bytes, sha256 }) {
  if (content.length !== bytes) return false;
  if (!globalThis.crypto?.subtle) return true; // plain http: the size must do
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") === sha256;
}

/** @param {Uint8Array} content gzip */
async function unpack(content) {
  const stream = new Response(content).body?.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
