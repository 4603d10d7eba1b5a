// perf-rq-probe times how long queries of TanStack Query take from their invalidation until
// they have settled again. It listens to the events of the cache of @tanstack/query-core, of
// which react-query is made, and writes a line of JSON for each:
//
//   {"v":1,"set":"players","ms":23.4,"ok":true,"at":"2026-03-02T10:05:00.000Z"}
//
//   import { probe } from './perf-rq-probe.mjs';
//   const stop = probe(queryClient, { write: (line) => appendFileSync('rq.jsonl', line + '\n') });
//
// `planvet bench --rq-trace rq.jsonl` reads them. set names a set of keys: the first part of
// a key that is a string, or what keySet(queryKey) returns; of a key nothing else is written.
// Without write, lines are kept, and stop.lines has them: in a browser, send them from there.
export function probe(client, { keySet = firstPart, write, now = () => performance.now() } = {}) {
  const lines = [];
  const out = write ?? ((line) => lines.push(line));
  const since = new Map(); // when a query was invalidated, by its hash
  const unsubscribe = client.getQueryCache().subscribe((event) => {
    const { query } = event;
    if (event.type === 'removed') since.delete(query.queryHash);
    if (event.type !== 'updated') return;
    const { type, manual } = event.action;
    if (type === 'invalidate') {
      since.set(query.queryHash, now());
      // Nobody looks at it: it is fetched when somebody does, and no one waits until then,
      // unless it is fetched at once all the same.
      if (!query.isActive()) setTimeout(() => query.state.fetchStatus === 'idle' && since.delete(query.queryHash), 0);
      return;
    }
    // One that is invalid already, because it failed or nobody looked at it, is not
    // invalidated again: who waits begins to when it is fetched.
    if (type === 'fetch' && query.state.isInvalidated && !since.has(query.queryHash)) since.set(query.queryHash, now());
    if (type !== 'success' && type !== 'error') return;
    const began = since.get(query.queryHash);
    since.delete(query.queryHash);
    if (began === undefined || manual) return; // data that were set are no answer
    if (type === 'error' && event.action.error?.name === 'CancelledError') return;
    const ms = Math.round((now() - began) * 1000) / 1000;
    out(JSON.stringify({ v: 1, set: keySet(query.queryKey), ms, ok: type === 'success', at: new Date().toISOString() }));
  });
  const stop = () => unsubscribe();
  stop.lines = lines;
  return stop;
}

function firstPart(key) {
  return key.find((part) => typeof part === 'string') ?? 'unnamed';
}
