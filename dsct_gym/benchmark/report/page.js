"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => {
        const cell = row.cells[column];
        const text = cell.dataset.value ?? cell.textContent;
        return text === "" || isNaN(text) ? text : Number(text);
      };
      const compare = (a, b) => {
        const x = value(a), y = value(b);
        const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
        return down ? -order : order;
      };
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
    });
  });
}
const entries = [...document.querySelectorAll(".entry")];
const pressed = (entry) => entry.getAttribute("aria-pressed") === "true";
const paint = () => {
  const chosen = new Set(entries.filter(pressed).map((entry) => entry.dataset.series));
  for (const part of document.querySelectorAll(".figures")) part.classList.toggle("muted", chosen.size > 0);
  for (const lit of document.querySelectorAll(".figures .lit")) lit.classList.remove("lit");
  for (const series of chosen) {
    for (const part of document.querySelectorAll(".figures .n" + series)) part.classList.add("lit");
  }
};
for (const entry of entries) {
  entry.setAttribute("aria-pressed", "false");
  entry.addEventListener("click", () => {
    const down = !pressed(entry);
    for (const other of entries) {
      if (other.dataset.series === entry.dataset.series) other.setAttribute("aria-pressed", String(down));
    }
    paint();
  });
}
