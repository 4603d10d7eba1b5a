package k6

const imports = `import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';
import { Rate } from 'k6/metrics';

`

// library is what each script has beside its cases. What is no answer that was expected is
// counted in the rate failed: http_req_failed knows of statuses alone.
const library = `
const failed = new Rate('failed');
const correlation = __ENV.CORRELATION_ID || 'k6';

function env(name) {
  if (__ENV[name] === undefined) exec.test.abort('the environment has no ' + name + ': run k6 with -e ' + name + '=value');
  return __ENV[name];
}

// values are those of a run: a row of the data, and its number.
function values(data) {
  const run = exec.scenario.iterationInTest;
  return Object.assign({}, data.length > 0 ? data[run % data.length] : {}, { run: String(run + 1) });
}

function place(base, path) {
  return path.startsWith('http://') || path.startsWith('https://') ? path : base + path;
}

// find is the value at a path of keys and indices, as text.
function find(body, path) {
  let at;
  try {
    at = JSON.parse(body);
  } catch (e) {
    return undefined;
  }
  for (const key of path) {
    if (at === null || at === undefined) return undefined;
    at = at[key];
  }
  if (at === null || at === undefined) return undefined;
  return typeof at === 'string' ? at : JSON.stringify(at);
}

function header(res, name) {
  for (const key of Object.keys(res.headers)) {
    if (key.toLowerCase() === name.toLowerCase()) return res.headers[key];
  }
  return undefined;
}

// judge keeps what is to be captured, and says whether an answer is the expected one.
function judge(call, res, v) {
  let ok = call.status ? res.status === call.status : res.status >= 200 && res.status <= 299;
  if (ok && call.contains !== undefined) ok = String(res.body).includes(call.contains);
  if (ok && call.equals !== undefined) ok = res.body === call.equals;
  if (ok) {
    for (const name of Object.keys(call.capture || {})) {
      const from = call.capture[name];
      v[name] = Array.isArray(from) ? find(res.body, from) : header(res, from);
      if (v[name] === undefined) ok = false;
    }
  }
  failed.add(!ok, call.params.tags);
  return ok;
}

function send(call, v) {
  return judge(call, http.request(call.method, call.url, call.body, call.params), v);
}

function together(calls, v) {
  const all = http.batch(calls.map((c) => ({ method: c.method, url: c.url, body: c.body, params: c.params })));
  return calls.map((c, i) => judge(c, all[i], v)).every((ok) => ok);
}
`
