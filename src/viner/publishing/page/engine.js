/** ONNX Runtime in WebAssembly: one graph, one window at a time. */
import * as ort from "./ort.js";

/** More threads than this do not pay for one sentence. */
const MOST_THREADS = 4;

/**
 * @param {Uint8Array} graph an ONNX file
 * @param {Uint8Array} runtime the WebAssembly of ONNX Runtime
 * @param {string} output name of the output
 * @returns {Promise<import("./recognizer.js").Engine>}
 */
export async function openEngine(graph, runtime, output) {
  ort.env.logLevel = "error";
  ort.env.wasm.wasmBinary = runtime;
  // Threads share memory, which browsers allow on isolated pages only.
  ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;
  const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"], enableMemPattern: false });
  return async (pieces) => {
    const shape = [1, pieces.length];
    const inputs = {
      input_ids: new ort.Tensor("int64", pieces, shape),
      attention_mask: new ort.Tensor("int64", new BigInt64Array(pieces.length).fill(1n), shape),
    };
    // A graph that can be asked for some pieces alone is asked for all: for one sentence that makes no difference to be felt.
    if (session.inputNames.includes("first_pieces")) {
      inputs.first_pieces = new ort.Tensor("int64", BigInt64Array.from(pieces, (_, position) => BigInt(position)), [pieces.length]);
    }
    const results = await session.run(inputs, [output]);
    return results[output].data;
  };
}
