/** Where changes wait until the server has them: IndexedDB, which outlives a reload and a crash of the browser. */

const DATABASE = "viner";
const STORE = "outbox";

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Opens the storage. Where the browser refuses one (private windows, a full disk) changes are kept in memory and `lasting` is
 * false, so that the page can warn before it is closed.
 * @returns {Promise<Storage>}
 */
export async function openStorage() {
  try {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "operation" });
    return new Storage(await result(request));
  } catch {
    return new Storage(null);
  }
}

export class Storage {
  /** @param {IDBDatabase | null} database */
  constructor(database) {
    this.database = database;
    this.lasting = database !== null;
  }

  /** @param {"readonly" | "readwrite"} mode */
  #store(mode) {
    return this.database?.transaction(STORE, mode).objectStore(STORE);
  }

  /** Writes entries in one transaction, started before this returns. @param {...import("./outbox.js").Entry} entries */
  put(...entries) {
    try {
      const store = this.#store("readwrite");
      for (const entry of entries) {
        const request = store?.put(entry);
        if (request) request.onerror = () => (this.lasting = false);
      }
    } catch {
      this.lasting = false;
    }
  }

  /** @param {string} operation */
  remove(operation) {
    try {
      this.#store("readwrite")?.delete(operation);
    } catch {
      // What stays is sent again some day, and the server knows it by its id.
    }
  }

  /** @returns {Promise<import("./outbox.js").Entry[]>} */
  async all() {
    const store = this.#store("readonly");
    return store ? result(store.getAll()) : [];
  }
}
