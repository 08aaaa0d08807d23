// Moving and enlarging the map; everything else works without a script.
"use strict";
(() => {
  const frame = document.querySelector(".map.large");
  const drawing = frame && frame.querySelector("svg");
  if (drawing) {
    const whole = drawing.getAttribute("viewBox").split(" ").map(Number);
    let [x, y, width, height] = whole;
    const show = () => drawing.setAttribute("viewBox", [x, y, width, height].join(" "));
    const enlarge = (by, atX = 0.5, atY = 0.5) => {
      const newWidth = Math.min(whole[2] * 2, Math.max(200, width / by));
      const factor = newWidth / width;
      x += width * (1 - factor) * atX;
      y += height * (1 - factor) * atY;
      width = newWidth;
      height *= factor;
      show();
    };
    const everything = () => { [x, y, width, height] = whole; show(); };
    frame.classList.add("moves");
    drawing.removeAttribute("width");
    drawing.style.height = `${Math.min(window.innerHeight * 0.65, Math.max(160, whole[3] * 1.1))}px`;
    document.querySelectorAll(".zoom").forEach((one) => { one.hidden = false; });
    document.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => {
      const way = button.dataset.zoom;
      if (way === "all") everything(); else enlarge(way === "in" ? 1.4 : 1 / 1.4);
    }));
    frame.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a page that scrolls goes on scrolling
      event.preventDefault();
      const box = drawing.getBoundingClientRect();
      enlarge(event.deltaY < 0 ? 1.15 : 1 / 1.15, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    }, { passive: false });
    let from = null;
    frame.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && event.pointerType !== "touch") from = [event.clientX, event.clientY];
    });
    window.addEventListener("pointermove", (event) => {
      if (!from) return;
      const scale = width / drawing.getBoundingClientRect().width;
      x -= (event.clientX - from[0]) * scale;
      y -= (event.clientY - from[1]) * scale;
      from = [event.clientX, event.clientY];
      show();
    });
    window.addEventListener("pointerup", () => { from = null; });
    frame.addEventListener("keydown", (event) => {
      const step = width / 10;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
      if (event.key in moves) { x += moves[event.key][0]; y += moves[event.key][1]; show(); }
      else if (event.key === "+" || event.key === "=") enlarge(1.4);
      else if (event.key === "-") enlarge(1 / 1.4);
      else if (event.key === "0") everything();
      else return;
      event.preventDefault();
    });
  }
  // A decision is sent once, however often the button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault(); else form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; }));
})();
