export const sent = [];
function answer(method, url, body, params) {
  const path = new URL(url).pathname;
  sent.push({ method, url, body, headers: params.headers, tags: params.tags });
  if (path === '/slips') return { status: 201, body: '{"slip": {"id": 7, "tags": ["a b"]}}', headers: { Location: '/slips/7' } };
  if (path.endsWith('/fails')) return { status: 503, body: '', headers: {} };
  return { status: 200, body: '{"id": 1}', headers: {} };
}
export default {
  request: (method, url, body, params) => answer(method, url, body, params),
  batch: (calls) => calls.map((c) => answer(c.method, c.url, c.body, c.params)),
};
