"use strict";

const specs = JSON.parse(document.getElementById("specs").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function look() {
  const [text, line] = dark.matches ? ["#d6d6dc", "#3a3a42"] : ["#3c3c43", "#e3e3e8"];
  const labels = { labelColor: text, titleColor: text };
  return {
    background: "transparent",
    font: "system-ui, sans-serif",
    view: { stroke: null },
    axis: { ...labels, gridColor: line, domainColor: line, tickColor: line },
    legend: labels,
    header: labels,
    title: { color: text },
    text: { color: text },
  };
}

function draw() {
  for (const place of document.querySelectorAll(".chart")) {
    if (!place.closest("figure").hidden) {
      const actions = { export: true, source: false, compiled: false, editor: false };
      vegaEmbed(place, specs[place.dataset.figure], { config: look(), actions, renderer: "svg" }).then(() => {
        place.querySelector("summary").setAttribute("aria-label", "Save the chart");
      });
    }
  }
}

function chooseAxis() {
  const chosen = document.getElementById("axis");
  for (const option of chosen ? chosen.options : []) {
    document.getElementById(option.value).hidden = option.value !== chosen.value;
  }
}

function sortBy(header) {
  const column = header.cellIndex;
  const body = header.closest("table").tBodies[0];
  const ascending = header.getAttribute("aria-sort") === "descending";
  const value = (row) => {
    const cell = row.cells[column];
    return column === 0 ? cell.textContent : cell.dataset.value === undefined ? NaN : Number(cell.dataset.value);
  };
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (typeof x === "string") return ascending ? y.localeCompare(x) : x.localeCompare(y);
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return ascending ? x - y : y - x;
  };
  for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  body.append(...[...body.rows].sort(compare));
}

function filterDocuments() {
  const text = document.getElementById("containing").value.toLowerCase();
  const kind = document.getElementById("kind").value;
  let found = 0;
  for (const shown of document.querySelectorAll(".document")) {
    shown.hidden = Boolean((kind && shown.dataset.kind !== kind) || !shown.textContent.toLowerCase().includes(text));
    found += !shown.hidden;
  }
  document.getElementById("found").textContent = `${found} shown`;
}

chooseAxis();
draw();
dark.addEventListener("change", draw);
document.getElementById("axis")?.addEventListener("change", () => { chooseAxis(); draw(); });
for (const header of document.querySelectorAll(".sortable th[scope=col]")) {
  header.querySelector("button").addEventListener("click", () => sortBy(header));
}
for (const control of ["containing", "kind"]) {
  document.getElementById(control)?.addEventListener("input", filterDocuments);
}
