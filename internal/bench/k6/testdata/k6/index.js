// What of k6 the scripts use, for node: enough to run each case once.
globalThis.__ENV = process.env;
export const slept = [];
export function sleep(seconds) { slept.push(seconds); }
