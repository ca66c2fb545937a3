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
const charts = document.querySelector("#charts");
if (charts) {
  const entries = [...charts.querySelectorAll(".entry")];
  const paint = () => {
    const chosen = entries.filter((entry) => entry.getAttribute("aria-pressed") === "true");
    charts.querySelector(".figures").classList.toggle("muted", chosen.length > 0);
    for (const lit of charts.querySelectorAll(".figures .lit")) lit.classList.remove("lit");
    for (const entry of chosen) {
      const series = charts.querySelectorAll(".figures .n" + entry.dataset.series);
      for (const part of series) part.classList.add("lit");
    }
  };
  for (const entry of entries) {
    entry.setAttribute("aria-pressed", "false");
    entry.addEventListener("click", () => {
      const pressed = entry.getAttribute("aria-pressed") === "true";
      entry.setAttribute("aria-pressed", String(!pressed));
      paint();
    });
  }
}
