// A page that is loaded anew every few seconds keeps open what was open. Everything
// works without it.
(() => {
  "use strict";
  const all = [...document.querySelectorAll("details")];
  const key = "planvet-dashboard-open";
  let store;
  try { store = window.sessionStorage; store.getItem(key); } catch { return; }
  if (location.protocol === "file:") return;
  const name = (d, i) => (d.closest("section")?.id ?? "") + "/" + i;
  const open = new Set((store.getItem(key) ?? "").split("\n"));
  all.forEach((d, i) => {
    if (open.has(name(d, i))) d.open = true;
    d.addEventListener("toggle", () => {
      if (d.open) open.add(name(d, i)); else open.delete(name(d, i));
      store.setItem(key, [...open].join("\n"));
    });
  });
})();
