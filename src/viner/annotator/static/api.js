/** The server's API: JSON in, JSON out, and one kind of error. */

const BASE = new URL("../api/", import.meta.url);

export class ApiError extends Error {
  /**
   * @param {number} status of HTTP; 0 = no answer at all
   * @param {any} body
   */
  constructor(status, body) {
    const error = body?.error ?? {};
    super(error.message ?? (status ? `HTTP ${status}` : "no connection"));
    this.status = status;
    /** @type {string} */
    this.code = error.code ?? "";
    /** @type {string | null} */
    this.where = error.where ?? null;
    /** @type {string | null} */
    this.hint = error.hint ?? null;
    this.body = body;
  }
}

/** What was wrong and what to do about it. @param {any} error */
export function reasonOf(error) {
  return [error.message, error.hint].filter(Boolean).join(". ");
}

/** Whose work this page sends: the server refuses it once somebody else has logged in. @type {string | null} */
let person = null;

/** @param {string} who */
export function workFor(who) {
  person = who;
}

/**
 * @param {string} path below the API's address
 * @param {object} [body] sent by POST; without it the request is a GET
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function call(path, body) {
  /** @type {Response} */
  let response;
  let answer = null;
  try {
    response = await fetch(new URL(path, BASE), {
      method: body === undefined ? "GET" : "POST",
      headers: { ...(body !== undefined && { "Content-Type": "application/json" }), ...(person !== null && { "Viner-Who": encodeURIComponent(person) }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
  } catch {
    throw new ApiError(0, null);
  }
  try {
    answer = await response.json();
  } catch {
    if (response.ok) throw new ApiError(0, null);
  }
  if (!response.ok) throw new ApiError(response.status, answer);
  return answer;
}

/** @param {Record<string, any>} values those that are empty are left out */
function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  return new URLSearchParams(given.map(([key, value]) => [key, String(value === true ? 1 : value)])).toString();
}

export const api = {
  session: () => call("session"),
  /** @param {{tab: string, resume?: boolean, exclude?: string[], finished?: string | null}} wanted */
  next: (wanted) => call("next", wanted),
  /** @param {string} id */
  document: (id) => call(`document?${query({ id })}`),
  /**
   * Opens a document for this tab, with its suggestions brought up to date.
   * @param {string} id @param {string} tab
   * @returns {Promise<{document: any, lease_seconds: number | null, held_by?: string}>} held_by: somebody else has it open
   */
  open: async (id, tab) => {
    try {
      return await call("lease", { id, tab, open: true });
    } catch (error) {
      const { code, body } = /** @type {ApiError} */ (error);
      if (code !== "leased") throw error;
      return { document: await call(`document?${query({ id })}`), lease_seconds: null, held_by: body.held_by };
    }
  },
  /** @param {string} id @param {string} tab */
  lease: (id, tab) => call("lease", { id, tab }),
  /** @param {string} id @param {string} tab */
  release: (id, tab) => call("release", { id, tab }),
  /** @param {object} operation */
  save: (operation) => call("operations", operation),
  /** Events under the labels of a schema. @param {string} id @param {number | null} before @param {number} [schema] its version */
  history: (id, before, schema) => call(`history?${query({ id, mine: 1, before, schema })}`),
  /** @param {string} operation @param {string} undoes */
  undo: (operation, undoes) => call("undo", { operation, undoes }),
  /** @param {Record<string, any>} filter */
  documents: (filter) => call(`documents?${query(filter)}`),
  /** @param {object} wanted */
  previewLabelAll: (wanted) => call("label-all/preview", wanted),
  /** @param {object} wanted */
  labelAll: (wanted) => call("label-all", wanted),
  /** The schema, with `renamed` and `renamed_classes`: where labels and classes of an earlier version are today. @param {number} [since] */
  schema: (since) => call(since === undefined ? "schema" : `schema?since=${since}`),
  training: () => call("training"),
  /** @param {"start" | "stop" | "resume"} action */
  train: (action) => call("training", { action }),
};
