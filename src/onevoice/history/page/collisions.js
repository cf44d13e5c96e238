// Campaigns that wanted the same customers at the same time.
"use strict";

const MATRIX_MAX = 14; // campaigns
const MATRIX_NARROW_MAX = 9;

function collisionsSection(report) {
  const heading = "Which campaigns collide";
  if (!report.collisions.length)
    return section("collisions", heading, "No two campaigns wanted the same customer at the same time.");
  const outbound = report.collisions.filter((each) => !each.placement);
  const parts = outbound.length ? [matrix(outbound), pairs("Pairs of campaigns that collide", outbound, false)] : [];
  for (const place of new Set(report.collisions.map((each) => each.placement).filter(Boolean))) {
    const rows = report.collisions.filter((each) => each.placement === place);
    parts.push(
      el("h3", {}, "At the placement ", el("em", {}, place)),
      el("p", {}, named(asked(rows[0]))),
      matrix(rows),
      pairs(`Pairs at ${place}`, rows, true),
    );
  }
  return section(
    "collisions",
    heading,
    outbound.length ? met(outbound[0]) : "Campaigns met only at placements.",
    parts,
  );
}

/** The pair with the one that won more often first, so that a sentence can begin with it. */
const byWins = (row) =>
  row.one_first >= row.other_first
    ? [row.one, row.one_first, row.other, row.other_first]
    : [row.other, row.other_first, row.one, row.one_first];

function met(row) {
  const [winner, wins, loser, losses] = byWins(row);
  const neither = row.times - row.one_first - row.other_first;
  return (
    `${row.one} and ${row.other} meet at the most customers: ${counted(row.customers, "customer")}, ${counted(row.times, "time")}. ${winner} went out first ${counted(wins, "time")}, ` +
    `${loser} ${count(losses)}${neither ? `, neither ${count(neither)}` : ""}. Without rules above both, each such meeting is a customer who hears both.`
  );
}

function asked(row) {
  const [winner, wins, loser, losses] = byWins(row);
  return `${row.one} and ${row.other} wanted to be shown to the same ${counted(row.customers, "customer")}, ${counted(row.times, "time")}: ${winner} alone was shown ${counted(wins, "time")}, ${loser} alone ${count(losses)}.`;
}

/** The campaigns that collide with the most others, each with how many customers it shares with each. */
function matrix(rows, what = "Customers whom both campaigns wanted at the same time") {
  const weight = new Map();
  for (const row of rows)
    for (const name of [row.one, row.other]) weight.set(name, (weight.get(name) ?? 0) + row.customers);
  const names = [...weight.keys()]
    .sort((a, b) => weight.get(b) - weight.get(a))
    .slice(0, matchMedia("(max-width: 640px)").matches ? MATRIX_NARROW_MAX : MATRIX_MAX);
  const shared = new Map(
    rows.flatMap((row) => [
      [`${row.one}\n${row.other}`, row],
      [`${row.other}\n${row.one}`, row],
    ]),
  );
  const most = Math.max(...rows.map((row) => row.customers));
  const lines = names.map((name, index) => [
    ...names.slice(0, index).map((other) => cell(shared.get(`${name}\n${other}`), most)),
    el("span", { class: "name", title: name, style: { "grid-column": `${index + 1} / -1` } }, shortened(name, 36)),
  ]);
  const told = `Customers shared by each two of ${joined(names)}; the table below has the same figures.`;
  const note = el(
    "figcaption",
    {},
    `${what}: a campaign’s row runs to the left of its name, its column below it. The stronger the colour, the more customers; a pair without a figure is not among those of the table below.`,
  );
  return el(
    "figure",
    { class: "matrix" },
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "img", "aria-label": told },
      el("div", { class: "stairs", style: { "--size": names.length } }, lines),
    ),
    note,
  );
}

function cell(row, most) {
  if (!row) return el("span", { class: "cell" });
  const weight = Math.sqrt(row.customers / most);
  const [winner, wins, loser, losses] = byWins(row);
  const lines = [
    `${row.one} × ${row.other}`,
    `${counted(row.customers, "customer")}, ${counted(row.times, "time")}`,
    `first: ${winner} ${count(wins)}, ${loser} ${count(losses)}`,
  ];
  const short = row.customers > 9999 ? `${Math.round(row.customers / 1000)}k` : String(row.customers);
  return el(
    "span",
    {
      class: "cell",
      style: { "--weight": `${Math.round(8 + 92 * weight)}%` },
      on: { pointermove: (event) => tip.show(event, lines), pointerleave: () => tip.hide() },
    },
    short,
  );
}

function outcome(row, isAsk) {
  const both = isAsk ? row.times - row.one_lost - row.one_first : 0;
  const neither = row.times - row.one_first - row.other_first - both;
  const [one, other] = isAsk ? ["alone", "alone"] : ["first", "first"];
  return [
    [row.one_first, "hue-1", `${row.one} ${one}`],
    [both, "hue-5", "both"],
    [neither, "track", "neither"],
    [row.other_first, "hue-2", `${row.other} ${other}`],
  ];
}

function pairs(caption, rows, isAsk) {
  const won = isAsk ? "alone" : "first";
  const number = (title, name, hint) => ({ title, hint, value: (row) => row[name] });
  const columns = [
    {
      title: "One and the other",
      text: true,
      value: (row) => row.one,
      cell: (row) => el("span", { class: "pair" }, el("span", {}, named(row.one)), el("span", {}, named(row.other))),
    },
    number("Customers", "customers"),
    number("Times", "times"),
    number(`One ${won}`, "one_first"),
    {
      title: "Who won",
      text: true,
      wide: "bars",
      value: (row) => row.one_first / row.times,
      cell: (row) => bar(outcome(row, isAsk), row.times),
    },
    number(`Other ${won}`, "other_first"),
    number("One lost", "one_lost", isAsk ? "Was not shown" : "Did not go out at all"),
    number("Other lost", "other_lost", isAsk ? "Was not shown" : "Did not go out at all"),
  ];
  const legend = [
    ["hue-1", isAsk ? "only the one shown" : "the one went out first"],
    isAsk ? ["hue-5", "both shown"] : null,
    ["track", "neither"],
    ["hue-2", isAsk ? "only the other shown" : "the other went out first"],
  ];
  return [
    key(...legend.filter(Boolean)),
    table({ caption, columns, rows, most: 8, search: (row) => `${row.one} ${row.other}` }),
  ];
}
