// Requests to a worker of this page: what stands in the place of ask.js where there is no server.

/** What was refused, with the sentence that says why. */
export class Refused extends Error {}

/** A worker with models, which is asked one thing after another. */
class Engine {
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  #turn = Promise.resolve();
  /** Fails what is being answered. */
  #fail;
  #ended = false;

  /** The answer to a message, once all earlier ones are answered. */
  send(message, signal) {
    const answer = this.#turn.then(() => {
      signal?.throwIfAborted();
      if (this.#ended) throw new Error("other models were opened");
      return new Promise((done, fail) => {
        this.#fail = fail;
        this.#worker.onmessage = ({ data }) => (data.refused === undefined ? done(data) : fail(new Refused(data.refused)));
        this.#worker.onerror = (event) => fail(new Error(event.message || "the worker cannot be started"));
        this.#worker.postMessage(message);
      });
    });
    this.#turn = answer.catch(() => {});
    return answer;
  }

  end() {
    this.#ended = true;
    this.#worker.terminate();
    this.#fail?.(new Error("other models were opened"));
  }
}

/** The models that are open; without a list, those that came with the page. */
let opened;
let engine;
/** Settled when there is a model. */
let ready;
const there = new Promise((done) => (ready = done));

/**
 * Opens models in the place of those that are open, each with a name and a list of `{ name, file }`. If one cannot be
 * read, what was open stays open.
 */
export async function open(models) {
  const fresh = new Engine();
  try {
    const { count } = await fresh.send({ open: models });
    if (count === 0) return fresh.end();
  } catch (error) {
    fresh.end();
    throw error;
  }
  engine?.end();
  [engine, opened] = [fresh, models];
  ready();
}

async function ask(path, question, signal) {
  await there;
  const { answer, fault } = await engine.send({ path, body: JSON.stringify(question ?? null) }, signal);
  if (fault !== undefined) {
    // Its memory may be in any state: it begins anew.
    await open(opened);
    throw new Error(fault);
  }
  signal?.throwIfAborted();
  return JSON.parse(answer);
}

/** The models, and what can be asked of them. */
export const known = () => ask("/api/model");
/** Why a model decides as it does. */
export const explain = (question, signal) => ask("/api/explain", question, signal);
/** The same by several methods or models. */
export const compare = (question, signal) => ask("/api/compare", question, signal);
/** Why texts are alike. */
export const similar = (question, signal) => ask("/api/similar", question, signal);
