// The page: its sections in their order, from the data that lies in it.
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

/** The classes, those with the most contacts first, so that each has the same hue everywhere. */
function classHuesOf(report, why) {
  const weight = new Map();
  for (const each of report?.campaigns ?? []) weight.set(each.klass, (weight.get(each.klass) ?? 0) + each.sent);
  for (const each of why?.told ?? []) if (each.klass && !weight.has(each.klass)) weight.set(each.klass, 0);
  return hues([...weight.keys()].sort((a, b) => weight.get(b) - weight.get(a)));
}

function sections({ report, timeline, why, took_s, audit }) {
  if (audit) return auditSections(audit);
  const classHues = classHuesOf(report, why);
  const classOf = new Map(
    [...(report?.campaigns ?? []), ...(why?.told ?? [])].map((each) => [each.campaign, each.klass]),
  );
  const hueOf = (campaign) => classHues.get(classOf.get(campaign)) ?? "hue-1";
  const found = [];
  if (report) {
    found.push(weeksSection(report, classHues), campaignsSection(report, classHues), reasonsSection(report));
    found.push(el("div", { class: "beside" }, loadSection(report), crowdedSection(report)), collisionsSection(report));
  }
  if (timeline) found.push(timelineSection(timeline, hueOf, why));
  if (why) found.push(whySection(why));
  return [report ? [el("p", { class: "standfirst" }, standfirst(report)), figures(report, took_s)] : null, found];
}

function contents(main) {
  const links = [...main.querySelectorAll("section")].map((each) =>
    el("li", {}, el("a", { href: `#${each.id}` }, each.querySelector("h2").textContent)),
  );
  return links.length > 2 ? el("nav", { "aria-label": "On this page" }, el("ul", {}, links)) : null;
}

function start() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const zone = (data.audit ?? data.report ?? data.timeline).time_zone;
  times.use(zone);
  const main = document.getElementById("page");
  const [head, found] = sections(data);
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
  const version = data.report?.version ? `, playbook version ${data.report.version.slice(0, 12)}` : "";
  main.append(
    el(
      "footer",
      {},
      `Made by Onevoice from ${data.audit ? "the contact log and the events" : "the lines of all decisions"}${version}. Times are in ${zone}; weeks begin on Monday. This page asks nothing of the network.`,
    ),
  );
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);
  addEventListener("beforeprint", redrawCharts);
  addEventListener("afterprint", redrawCharts);
  addEventListener("scroll", () => tip.hide(), { passive: true });
}

start();
