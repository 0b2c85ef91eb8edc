
"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);

  // Figures that are packed: when they come near, and all of a part that a person unfolds, so that it can be printed.
  const unpack = async (image) => {
    const packed = image.dataset.packed;
    if (!packed) return;
    image.removeAttribute("data-packed");
    const bytes = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0));
    const svg = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
    image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  };
  const inView = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) { inView.unobserve(entry.target); unpack(entry.target); }
    }
  }, { rootMargin: "1500px" });
  for (const image of all("img[data-packed]")) inView.observe(image);
  for (const summary of all("summary")) {
    summary.addEventListener("click", () => all("img[data-packed]", summary.parentElement).forEach(unpack));
  }

  // What a link leads to is unfolded, in browsers too that do not do so themselves.
  const reveal = () => {
    const target = location.hash ? byId(decodeURIComponent(location.hash.slice(1))) : null;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) { target.scrollIntoView(); target.focus({ preventScroll: true }); }
  };
  addEventListener("hashchange", reveal);

  for (const control of all(".controls[hidden], #choice")) control.hidden = false;
  for (const button of all("[data-fold]")) {
    button.addEventListener("click", () => {
      for (const target of all("details.target")) target.open = button.dataset.fold === "open";
    });
  }
  for (const button of all("[data-copy]")) {
    button.addEventListener("click", async () => {
      const text = byId(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(text.textContent);
        byId("copied").textContent = "copied";
      } catch {
        getSelection().selectAllChildren(text);
        byId("copied").textContent = "selected: copy it with Ctrl-C";
      }
    });
  }

  // The map: coloured by what is chosen; one stop for Tab, the arrow keys go from qubit to qubit.
  const cells = all(".cell");
  const choices = JSON.parse(byId("choices").textContent);
  const show = (choice) => {
    for (const cell of cells) {
      const kind = cell.classList[1];
      const name = `${kind} ${cell.dataset.id}`;
      const [text, state, spoken, fill, ink] = choice.marks[cell.dataset.id] || ["", "empty", name, "", ""];
      cell.setAttribute("class", `cell ${kind} ${state}`);
      cell.setAttribute("aria-label", spoken);
      cell.querySelector("title").textContent = spoken;
      cell.querySelector(".value").textContent = text;
      const paint = (element, colour) => colour ? element.setAttribute("fill", colour) : element.removeAttribute("fill");
      paint(cell.querySelector("rect"), fill);
      for (const words of all("text", cell)) paint(words, ink);
    }
    byId("legend").hidden = !choice.low;
    byId("legend-low").textContent = choice.low;
    byId("legend-high").textContent = choice.high;
  };
  const select = byId("choice");
  if (select) {
    select.addEventListener("change", () => show(choices[select.value]));
    // A browser that goes back keeps what was chosen.
    if (choices[select.value]) show(choices[select.value]);
  }
  const middle = (cell) => {
    const box = cell.querySelector("rect").getBBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const stops = cells.filter((cell) => cell.classList.contains("qubit"));
  for (const cell of cells) cell.setAttribute("tabindex", cell === stops[0] ? "0" : "-1");
  const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  for (const cell of cells) {
    cell.addEventListener("keydown", (event) => {
      const towards = directions[event.key];
      if (!towards) return;
      event.preventDefault();
      const [x, y] = middle(cell);
      let nearest = null, least = Infinity;
      for (const other of cells) {
        if (other === cell || other.classList.contains("empty") && other.classList.contains("coupling")) continue;
        const [dx, dy] = [middle(other)[0] - x, middle(other)[1] - y];
        const along = dx * towards[0] + dy * towards[1], across = Math.abs(dx * towards[1]) + Math.abs(dy * towards[0]);
        if (along > 0 && across <= along && along + 2 * across < least) [nearest, least] = [other, along + 2 * across];
      }
      if (nearest) {
        cell.setAttribute("tabindex", "-1");
        nearest.setAttribute("tabindex", "0");
        nearest.focus();
      }
    });
  }
  reveal();
})();
