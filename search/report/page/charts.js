"use strict";

/* Charts: laid out for the width they have, and drawn in the colours of the page. */

const { specs, looks } = JSON.parse(document.getElementById("specs").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const NARROW = 480;
const EMBEDDED = { ast: true, renderer: "svg", actions: { export: true, source: false, compiled: false, editor: false } };

function laid(spec, width, height) {
  const { panel, widths, narrow } = spec.usermeta ?? {};
  if (panel) return inColumns(spec, panel, width);
  if (widths && width < NARROW) return { ...narrow, vconcat: narrow.vconcat.map((row) => inShares(row, narrow.widths, width)) };
  if (widths) return inShares(spec, widths, width, height);
  const fitted = { ...spec, width, height: height ?? spec.height, autosize: { type: height ? "fit" : "fit-x", contains: "padding" } };
  return width < NARROW ? { ...JSON.parse(JSON.stringify(fitted).replaceAll('"datum.', '"datum.narrow_')), height: 320 } : fitted;
}

function inColumns(spec, { least, beside }, width) {
  const count = spec.concat?.length ?? spec.columns;
  const columns = Math.max(1, Math.min(count, Math.floor(width / least)));
  const each = Math.floor(width / columns) - beside;
  if (spec.concat) return { ...spec, columns, concat: spec.concat.map((view) => ({ ...view, width: each })) };
  return { ...spec, columns, spec: { ...spec.spec, width: each } };
}

function inShares(row, widths, width, height) {
  const views = row.hconcat.map((view) => {
    const [share, beside] = widths[view.name.split("-")[0]] ?? [0, view.width];
    return { ...view, width: Math.max(60, Math.floor(share * width + beside) - 8), height: height ? Math.min(height - 70, 1.5 * view.height) : view.height };
  });
  return { ...row, hconcat: views };
}

/* The first screen is filled, and no more. */
function roomFor(place) {
  const beside = place.closest(".beside");
  if (!beside || window.innerWidth < 1024) return undefined;
  const above = place.getBoundingClientRect().top + window.scrollY;
  const below = 12 + (place.closest(".beside > *").querySelector(".note")?.offsetHeight ?? 0);
  return Math.max(300, Math.min(640, window.innerHeight - above - below));
}

async function draw() {
  const config = looks[dark.matches ? "dark" : "light"];
  for (const place of document.querySelectorAll(".chart")) {
    if (!place.checkVisibility()) continue;
    const spec = laid(specs[place.dataset.figure], place.clientWidth, roomFor(place));
    await vegaEmbed(place, spec, { ...EMBEDDED, config });
    place.toggleAttribute("data-dark", dark.matches);
    place.querySelector("summary").setAttribute("aria-label", "Save the chart");
  }
}

let drawnWidth = window.innerWidth;
let waiting;
window.addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (window.innerWidth !== drawnWidth) draw();
    drawnWidth = window.innerWidth;
  }, 150);
});
dark.addEventListener("change", draw);
