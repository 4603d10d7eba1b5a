// Folding, a panel for the chosen step, and the keyboard. Everything that it shows is
// in the document without it.
(() => {
  "use strict";
  const plan = document.getElementById("plan");
  if (!plan) return;
  const panel = document.getElementById("panel");
  const hint = panel.querySelector(".hint");
  const boxes = [...plan.querySelectorAll(".box")];
  const stepOf = (box) => document.getElementById(box.getAttribute("href").slice(1));
  const boxOf = (id) => document.getElementById(id.replace("step-", "node-"));
  document.documentElement.classList.add("js");

  // One row is a stop of the Tab key; arrow keys go on from it.
  let current = boxes[0];
  const reach = (box, tabIndex) => [...box.parentElement.children].forEach((e) => { e.tabIndex = tabIndex; });
  const stop = (box) => {
    reach(current, -1);
    reach(box, 0);
    current = box;
  };
  boxes.forEach((box) => reach(box, -1));
  stop(current);

  const fold = (node, folded) => {
    const toggle = node.querySelector(":scope > .row > .toggle");
    if (!toggle) return;
    node.classList.toggle("folded", folded);
    toggle.setAttribute("aria-expanded", String(!folded));
  };
  const show = (box) => {
    for (let n = box.closest(".kids"); n; n = n.parentElement.closest(".kids")) fold(n.parentElement, false);
  };
  const close = () => {
    panel.classList.remove("open");
    panel.querySelectorAll(".on").forEach((s) => s.classList.remove("on"));
    boxes.forEach((b) => b.removeAttribute("aria-current"));
    hint.hidden = false;
  };
  const choose = (box) => {
    close();
    hint.hidden = true;
    show(box);
    stop(box);
    box.setAttribute("aria-current", "true");
    stepOf(box).classList.add("on");
    panel.classList.add("open");
    panel.scrollTop = 0;
  };

  const button = document.createElement("button");
  button.type = "button";
  button.className = "close";
  button.textContent = "Close";
  button.addEventListener("click", () => { close(); current.focus(); });
  panel.prepend(button);

  document.addEventListener("click", (e) => {
    const toggle = e.target.closest(".toggle");
    if (toggle) {
      const node = toggle.closest(".node");
      fold(node, !node.classList.contains("folded"));
      return;
    }
    const link = e.target.closest('a[href^="#step-"]');
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey) return;
    const box = boxOf(link.getAttribute("href").slice(1));
    if (!box) return;
    e.preventDefault();
    choose(box);
    box.focus({ preventScroll: link === box });
    if (link !== box) box.scrollIntoView({ block: "center" });
  });

  plan.addEventListener("keydown", (e) => {
    const box = e.target.closest(".box");
    if (!box || e.altKey || e.ctrlKey || e.metaKey) return;
    const node = box.closest(".node");
    const folded = node.classList.contains("folded");
    const kids = node.querySelector(":scope > .kids");
    const seen = boxes.filter((b) => b.offsetParent !== null);
    const at = seen.indexOf(box);
    let next = null;
    switch (e.key) {
      case "ArrowDown": next = seen[at + 1]; break;
      case "ArrowUp": next = seen[at - 1]; break;
      case "Home": next = seen[0]; break;
      case "End": next = seen[seen.length - 1]; break;
      case "ArrowRight":
        if (kids && folded) fold(node, false);
        else if (kids) next = kids.querySelector(".box");
        break;
      case "ArrowLeft":
        if (kids && !folded) fold(node, true);
        else next = node.parentElement.closest(".node")?.querySelector(".box");
        break;
      case " ": choose(box); break;
      case "Escape": close(); break;
      default: return;
    }
    e.preventDefault();
    if (next) {
      stop(next);
      next.focus();
      if (panel.classList.contains("open")) choose(next);
    }
  });

  // A subtree is light where no step of it has a hundredth of the plan or a finding.
  const light = (node) => ![...node.querySelectorAll(".box")].some((b) => b.querySelector(".ref") || Number(b.dataset.share) >= 0.01);
  const foldLight = () => plan.querySelectorAll(".node").forEach((n) => fold(n, light(n)));
  document.getElementById("fold").addEventListener("click", foldLight);
  document.getElementById("unfold").addEventListener("click", () => plan.querySelectorAll(".node").forEach((n) => fold(n, false)));
  document.querySelectorAll(boxes.length > 8 ? ".tools, .toggle" : ".toggle").forEach((t) => { t.hidden = false; });
  if (boxes.length > 60) foldLight();

  const asked = /^#step-\d+$/.test(location.hash) && boxOf(location.hash.slice(1));
  if (asked) {
    choose(asked);
  } else if (matchMedia("(min-width: 62rem)").matches) {
    choose(boxes.reduce((a, b) => (Number(b.dataset.share) > Number(a.dataset.share) ? b : a)));
  }
})();
