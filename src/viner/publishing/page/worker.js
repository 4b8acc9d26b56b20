/**
 * Recognition away from the page, so that the page stays quick. It is started from a `blob:` address, since only there the
 * content security policy of the page holds for it, too.
 *
 * In:  {type: "start", page, published} once; {type: "recognize", id, text}
 * Out: {type: "progress", bytes}; {type: "ready", differs}; {type: "failed", code, values};
 *      {type: "window", id, done, of}; {type: "answer", id, document}; {type: "refused", id, code, values}
 */
import { answersOtherwise, readOtherwise } from "./checks.js";
import { openEngine } from "./engine.js";
import { FileError, Files } from "./files.js";
import { Recognizer, TextError } from "./recognizer.js";

/** @type {Promise<Recognizer>} */
let recognizer;
/** Texts are answered one after the other. @type {Promise<any>} */
let turn = Promise.resolve();

/** @param {any} message */
const tell = (message) => globalThis.postMessage(message);

/** What went wrong, for the page: the code of a message, and what goes into it. @param {any} error */
function explain(error) {
  if (error instanceof FileError) return { code: error.code, values: error.values };
  if (error instanceof TextError) return { code: error.code, values: {} };
  const detail = String(error?.message ?? error);
  // What engines and ONNX Runtime say where memory ends.
  const memory = error instanceof RangeError || /out of memory|bad_alloc|\bOOM\b|allocat|memory access out of bounds|grow/i.test(detail);
  return { code: memory ? "memory" : "broken", values: { path: "", detail } };
}

/** @param {string} page @param {any} published */
async function start(page, published) {
  const { files, output } = published;
  let told = 0;
  const store = new Files(page, (bytes) => {
    if (bytes - told < 1 << 18 && bytes < published.bytes) return;
    told = bytes;
    tell({ type: "progress", bytes });
  });
  const json = async (/** @type {any} */ file) => JSON.parse(new TextDecoder().decode(await store.get(file)));
  const [model, tables] = await Promise.all([json(files.rules), json(files.tables)]);
  const run = { /** @type {any} */ engine: null };
  const made = new Recognizer(model, tables, (pieces) => run.engine(pieces));
  const otherwise = readOtherwise(made, model.texts);
  if (otherwise !== null) throw new TextError("reads_otherwise");
  const [runtime, graph] = await Promise.all([store.get(files.runtime), store.get(files.graph)]);
  run.engine = await openEngine(graph, runtime, output);
  const differs = await answersOtherwise(made, model.sample);
  await store.forgetOthers(Object.values(files));
  tell({ type: "ready", differs });
  return made;
}

/** @param {number} id @param {string} text */
async function recognize(id, text) {
  try {
    const document = await (await recognizer).recognize(text, (done, of) => tell({ type: "window", id, done, of }));
    tell({ type: "answer", id, document });
  } catch (error) {
    tell({ type: "refused", id, ...explain(error) });
  }
}

globalThis.addEventListener("message", ({ data }) => {
  if (data.type === "start") {
    recognizer = start(data.page, data.published);
    recognizer.catch((error) => tell({ type: "failed", ...explain(error) }));
  } else {
    turn = turn.then(() => recognize(data.id, data.text));
  }
});
