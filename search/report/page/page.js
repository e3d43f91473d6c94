/* What is chosen: of several figures one is shown, and the address remembers which. */
const choosers = [...document.querySelectorAll("select[data-shows]")];

function choose() {
  for (const chooser of choosers) {
    for (const option of chooser.options) {
      document.getElementById(option.value).hidden = option.value !== chooser.value;
    }
  }
}

function remember() {
  const state = new URLSearchParams(choosers.map(({ id, value }) => [id, value]));
  history.replaceState(null, "", `#${state}`);
}

function recall() {
  const state = new URLSearchParams(location.hash.slice(1));
  for (const chooser of choosers) {
    if ([...chooser.options].some(({ value }) => value === state.get(chooser.id))) chooser.value = state.get(chooser.id);
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

/* The section in sight is marked in the bar of links. */
function markPlace() {
  const links = [...document.querySelectorAll(".bar a")];
  const reached = links.filter((link) => document.querySelector(link.hash).getBoundingClientRect().top < window.innerHeight / 3);
  const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 2;
  const current = (atEnd && window.scrollY > 0 ? links : reached).at(-1) ?? links[0];
  for (const link of links) {
    if (link === current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

recall();
choose();
draw();
markPlace();
document.addEventListener("scroll", markPlace, { passive: true });
for (const chooser of choosers) {
  chooser.addEventListener("change", () => { choose(); remember(); draw(); });
}
for (const header of document.querySelectorAll(".sortable th[scope=col]")) {
  header.querySelector("button").addEventListener("click", () => sortBy(header));
}
for (const control of ["containing", "kind"]) {
  document.getElementById(control)?.addEventListener("input", filterDocuments);
}
