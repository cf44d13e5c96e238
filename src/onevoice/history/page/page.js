// What every page has: its head and foot, the colours, the way to its sections.
"use strict";

const THEMES = { auto: "auto", light: "light", dark: "dark" };

function themeSwitch() {
  let kept = "auto";
  try {
    kept = localStorage.getItem("onevoice-theme") ?? "auto";
  } catch {
    // A page opened from a file may have no storage: the switch then holds until it is closed.
  }
  if (!(kept in THEMES)) kept = "auto";
  document.documentElement.dataset.theme = kept;
  return choice("Colours", "theme", THEMES, kept, (theme) => {
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("onevoice-theme", theme);
    } catch {
      // as above
    }
    redrawCharts();
  });
}

function contents(main) {
  const links = [...main.querySelectorAll("section")].map((each) =>
    el("li", {}, el("a", { href: `#${each.id}` }, each.querySelector("h2").textContent)),
  );
  return links.length > 2 ? el("nav", { "aria-label": "On this page" }, el("ul", {}, links)) : null;
}

/** Draw the page. `zone`: of its times; `parts` gives its head and its sections; `source` is what it was made from. */
function start(data, { zone, parts, source }) {
  times.use(zone);
  const main = document.getElementById("page");
  const [head, found] = parts(data);
  const title = el(
    "header",
    {},
    el("div", { class: "masthead" }, el("span", {}, "Onevoice"), themeSwitch()),
    el("h1", {}, named(data.title)),
    head,
  );
  main.replaceChildren(title, ...found.flat());
  const links = contents(main);
  if (links) title.append(links);
  main.append(
    el(
      "footer",
      {},
      `Made by Onevoice from ${source}. Times are in ${zone}; weeks begin on Monday. This page asks nothing of the network.`,
    ),
  );
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);
  addEventListener("beforeprint", redrawCharts);
  addEventListener("afterprint", redrawCharts);
  addEventListener("scroll", () => tip.hide(), { passive: true });
}

const given = () => JSON.parse(document.getElementById("data").textContent);
const shortVersion = (version) => version.slice(0, 12);
