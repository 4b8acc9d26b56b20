/** Training, as the header shows it: the model at work, how much is new since, and the run that goes on. */
import { api, reasonOf } from "./api.js";
import { h } from "./dom.js";
import { MESSAGES } from "./messages.js";

const RUNNING_MS = 3000;
const IDLE_MS = 20_000;

export class Training {
  /**
   * @param {(key: string, values?: Record<string, any>) => string} say
   * @param {(key: string, values?: Record<string, any>) => void} notify
   */
  constructor(say, notify) {
    this.say = say;
    this.notify = notify;
    /** @type {any} */
    this.known = null;
    this.text = h("a.state", { href: `../${document.documentElement.lang}/train`, title: say("console_train") });
    this.button = h("button", { type: "button", onclick: () => void this.act() });
    this.element = h("div.training", { hidden: true }, h("span", { role: "status" }, this.text), this.button);
    this.timer = 0;
  }

  /** What the button does now. @returns {"start" | "stop" | "resume"} */
  get action() {
    const state = this.known?.run?.state;
    return isRunning(state) ? "stop" : state === "stopped" || state === "failed" ? "resume" : "start";
  }

  get running() {
    return isRunning(this.known?.run?.state);
  }

  /** @param {"start" | "stop" | "resume"} [action] */
  async act(action = this.action) {
    this.button.disabled = true;
    try {
      this.show(await api.train(action));
    } catch (error) {
      this.notify("not_done", { reason: reasonOf(error) });
    } finally {
      this.button.disabled = false;
    }
    void this.refresh();
  }

  async refresh() {
    clearTimeout(this.timer);
    try {
      if (!document.hidden) this.show(await api.training());
    } catch {
      if (this.known) this.text.textContent = this.say("training_unknown");
    }
    this.timer = window.setTimeout(() => void this.refresh(), isRunning(this.known?.run?.state) ? RUNNING_MS : IDLE_MS);
  }

  /** @param {any} training */
  show(training) {
    if (!training || !("active" in training)) return;
    const was = this.known;
    this.known = training;
    this.element.hidden = false;
    const { say } = this;
    const { run, active } = training;
    const parts = [];
    if (isRunning(run?.state)) {
      parts.push(say("training_running", { name: run.name ?? "" }));
      if (run.epoch) parts.push(say("training_epoch", { epoch: run.epochs ? `${run.epoch}/${run.epochs}` : run.epoch }));
      if (typeof run.best_f1 === "number") parts.push(say("training_dev", { f1: run.best_f1.toFixed(3) }));
    } else {
      if (run?.state === "failed") parts.push(say("training_failed", { reason: run.error?.message ?? "" }));
      else if (run?.state === "stopped") parts.push(say("training_stopped"));
      else parts.push(active ? say("model_active", { name: active }) : say("no_model"));
      if (training.done_since) parts.push(say("done_since", { count: training.done_since }));
      if (training.retrain_after) parts.push(say("retrain_in", { count: Math.max(0, training.retrain_after - training.done_since) }));
    }
    this.text.textContent = parts.join(" · ");
    this.button.textContent = say({ start: "train", stop: "stop", resume: "resume" }[this.action]);
    if (isRunning(was?.run?.state) && !isRunning(run?.state)) {
      const { key, values } = outcomeOf(run?.outcome, active !== was.active ? active : null, document.documentElement.lang);
      if (run?.outcome || values.name) this.notify(key, values);
    }
  }
}

/**
 * What became of a finished model, in the words of this page: an outcome brings its own sentence in English only.
 * @param {{code?: string | null, values?: Record<string, any>} | null | undefined} outcome
 * @param {string | null} active the model in service, where it is a new one
 * @param {string} language
 * @returns {{key: string, values: Record<string, any>}} a message and what stands in it
 */
export function outcomeOf(outcome, active, language) {
  const key = `outcome_${outcome?.code}`;
  if (!(key in MESSAGES)) return active ? { key: "training_finished", values: { name: active } } : { key: "training_over", values: {} };
  const values = Object.entries(outcome?.values ?? {}).map(([name, value]) => {
    if (typeof value !== "number") return [name, value];
    const places = name.endsWith("f1") ? 4 : 0;
    return [name, value.toLocaleString(language, { minimumFractionDigits: places, maximumFractionDigits: places })];
  });
  return { key, values: Object.fromEntries(values) };
}

/** @param {string | undefined} state */
function isRunning(state) {
  return state === "running" || state === "starting" || state === "stopping";
}
