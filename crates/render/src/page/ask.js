// Requests to the server. A page over another engine needs these functions alone.

/** What was refused, with the sentence that says why. */
export class Refused extends Error {}

/** How often a request waits for its turn, and for how long it waits at most. */
const TURNS = 5;
const LONGEST = 5;

async function read(response) {
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(answer.error ?? `The server answered ${response.status}.`);
  return answer;
}

async function ask(path, question, signal) {
  const body = JSON.stringify(question);
  for (let turn = 1; ; turn += 1) {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal,
    });
    const seconds = Number(response.headers.get("retry-after"));
    if (response.status !== 503 || turn === TURNS || !seconds) return read(response);
    await new Promise((done) => setTimeout(done, 1000 * Math.min(seconds, LONGEST)));
    signal?.throwIfAborted();
  }
}

/** The models, and what can be asked of them. */
export const known = async () => read(await fetch("/api/model"));
/** Why a model decides as it does. */
export const explain = (question, signal) => ask("/api/explain", question, signal);
/** The same by several methods or models. */
export const compare = (question, signal) => ask("/api/compare", question, signal);
/** Why texts are alike. */
export const similar = (question, signal) => ask("/api/similar", question, signal);
