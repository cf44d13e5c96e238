// The page of results: who came to the goals of campaigns, beside customers who were held out.
"use strict";

const KINDS = { campaign: "campaigns", class: "classes", owner: "owners", week: "weeks" };
const CAME = "hue-1";
const FEWER = "hue-2";

const TENTHS = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percent = (rate) => (rate === null ? "–" : `${TENTHS.format(100 * rate)}%`);
const came = (row) => percent(row.contacts ? row.conversions / row.contacts : null);
/** A difference of rates, as how many more of 100. */
const points = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${TENTHS.format(100 * Math.abs(value))}`;
const shareOf = (row) => (row.contacts ? row.conversions / row.contacts : -1);
const partName = (by, row) => (by === "week" ? times.date(row.part) : row.part || "(none)");
const sure = (row) => row.uplift !== null && (row.low > 0 || row.high < 0);

/** A text in which what stands in backquotes is code. */
const withCode = (text) => text.split("`").map((piece, index) => (index % 2 ? code(piece) : piece));

function resultsHead(found, begin) {
  const { whole } = found;
  if (!whole.contacts && !whole.would_have_won)
    return el("p", { class: "standfirst" }, "No campaign with a goal has reached anybody yet.");
  return [
    el("p", { class: "standfirst" }, named(resultsSentence(found))),
    resultsFigures(found),
    el("p", { class: "honest" }, withCode(found.held_out ? COMPARED : begin), " ", LATE),
  ];
}

function resultsSentence({ whole, held_out }) {
  const told = `${capital(counted(whole.contacts, "contact"))} of campaigns with a goal went out or were shown; ${count(whole.conversions)} came to it in time, ${came(whole)}.`;
  if (!held_out) return `${told} That they came after it does not say that they came because of it.`;
  return `${told} ${capital(counted(held_out, "customer was", "customers were"))} held out, to compare with. ${capital(whole.words)}.`;
}

const COMPARED =
  "What is compared is customers, each campaign within itself, since somebody was held out of it: those who were contacted beside those who would have been. " +
  "The bounds hold the true difference 95 times in 100. A customer whom several campaigns wanted counts in each; bounds of several campaigns together may be too narrow for that.";
const LATE = "Whoever was contacted in the last days may come to the goal yet.";

function resultsFigures({ whole, contacted, held_out }) {
  const pairs = [
    [count(whole.contacts), "contacts of campaigns with a goal"],
    [count(whole.conversions), `came to the goal, ${came(whole)} of the contacts`],
    [count(contacted), "customers contacted"],
    held_out && [count(held_out), `customers held out, from ${counted(whole.would_have_won, "contact")}`],
    whole.uplift !== null && [
      points(whole.uplift),
      `more of 100 than of those held out; ${points(whole.low)} to ${points(whole.high)}`,
    ],
  ];
  return el(
    "dl",
    { class: "figures" },
    pairs.filter(Boolean).map(([value, name]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

function weeksSection(found) {
  const rows = found.figures.map((row) => ({ ...row, week: row.part }));
  const days = mondays(rows);
  const at = new Map(rows.map((row) => [row.week, row]));
  const values = (value) => days.map((day) => (at.has(day) ? value(at.get(day)) : 0));
  const shown = [
    { name: "came to the goal", hue: CAME, values: values((row) => row.conversions) },
    { name: "did not", hue: OTHERS, values: values((row) => row.contacts - row.conversions) },
  ];
  const most = rows.reduce((best, row) => (row.contacts > best.contacts ? row : best));
  const sentence = `The week of ${times.date(most.week)} had the most contacts, ${count(most.contacts)}, of which ${came(most)} came to the goal.`;
  return section(
    "weeks",
    "Contacts week by week, and who came",
    sentence,
    key(...shown.map((each) => [each.hue, each.name])),
    chart(280, "Contacts per week, and how many came to the goal", (width) => weeksOption(days, shown, width)).node,
  );
}

/** The scale of all intervals of a table, from one whole point to another, with zero on it and room on both sides. */
function scaleOf(rows) {
  const told = rows.filter((row) => row.uplift !== null);
  const ends = [Math.min(0, ...told.map((row) => row.low)), Math.max(0, ...told.map((row) => row.high))];
  const room = (ends[1] - ends[0]) / 8;
  const [low, high] = [Math.min(ends[0], -room), Math.max(ends[1], room)];
  return { low: Math.floor(100 * low) / 100, high: Math.ceil(100 * high) / 100 };
}

/** An uplift with its bounds, as a bar about zero; in words where there is too little to tell. */
function interval(row, scale) {
  if (row.uplift === null) return el("span", { class: "muted" }, row.words.split(", so ")[0]);
  const at = (value) => (100 * (value - scale.low)) / (scale.high - scale.low);
  const hue = sure(row) ? (row.low > 0 ? CAME : FEWER) : OTHERS;
  const mark = (kind, style) => el("i", { class: kind, style });
  return el(
    "span",
    { class: "interval", role: "img", title: row.words, "aria-label": row.words },
    mark("zero", { left: `${at(0)}%` }),
    mark("within", { left: `${at(row.low)}%`, width: `${at(row.high) - at(row.low)}%`, background: `var(--${hue})` }),
    mark("point", { left: `${at(row.uplift)}%` }),
  );
}

function cameColumns(by) {
  return [
    {
      title: capital(by === "week" ? "week of" : by),
      text: true,
      value: (row) => row.part,
      cell: (row) => named(partName(by, row)),
    },
    { title: "Contacts", hint: "That went out, or were shown at placements", value: (row) => row.contacts },
    { title: "Came", hint: "Contacts whose customer came to the goal in time", value: (row) => row.conversions },
    { title: "Share", hint: "Of the contacts", value: shareOf, cell: came },
  ];
}

function contactsColumn(rows) {
  const most = Math.max(1, ...rows.map((row) => row.contacts));
  const parts = (row) => [
    [row.conversions, CAME, "came to the goal"],
    [row.contacts - row.conversions, OTHERS, "did not"],
  ];
  return {
    title: "Compared",
    text: true,
    wide: "bars",
    value: (row) => row.contacts,
    cell: (row) => bar(parts(row), most),
  };
}

function comparedColumns(rows) {
  const scale = scaleOf(rows);
  const of = (came, all) => ({ title: `${count(came)} of ${counted(all, "customer")}` });
  return [
    { title: "Held out", hint: "Contacts that would have been made", value: (row) => row.would_have_won },
    {
      title: "Rate",
      hint: "Of the customers contacted since somebody was held out, how many came to the goal",
      value: (row) => row.rate ?? -1,
      cell: (row) => el("span", of(row.customers_converted, row.customers), percent(row.rate)),
    },
    {
      title: "Of held out",
      hint: "Of the customers held out, how many came to the goal",
      value: (row) => row.held_out_rate ?? -1,
      cell: (row) => el("span", of(row.held_out_converted, row.held_out), percent(row.held_out_rate)),
    },
    {
      title: "Uplift",
      hint: "How many more of 100 contacted came to the goal than of 100 held out",
      value: (row) => row.uplift ?? -2,
      cell: (row) => (row.uplift === null ? "" : points(row.uplift)),
    },
    {
      title: scale.low < scale.high ? `From ${points(scale.low)} to ${points(scale.high)}` : "",
      hint: "Between the ends of the bar the uplift lies 95 times in 100; the line is zero",
      text: true,
      wide: "bars",
      value: (row) => row.low ?? -2,
      cell: (row) => interval(row, scale),
    },
  ];
}

function resultsTable(found) {
  const { by, figures } = found;
  return table({
    caption: `Results by ${by}`,
    columns: [...cameColumns(by), ...(found.held_out ? comparedColumns(figures) : [contactsColumn(figures)])],
    rows: figures,
    sorted: by === "week" ? 0 : 1,
    up: by === "week",
    most: 20,
    search: (row) => partName(by, row),
  });
}

/** What may be said of the parts: of how many more come, of how many fewer, of how many nothing is shown. */
function partsSentence(found) {
  const { by, figures } = found;
  if (figures.length === 1 && found.held_out) return `${partName(by, figures[0])}: ${figures[0].words}.`;
  const [first] = [...figures].sort((a, b) => b.contacts - a.contacts);
  if (!found.held_out)
    return `${counted(figures.length, by, KINDS[by])}; ${by === "week" ? "that of " : ""}${partName(by, first)} has the most contacts, ${count(first.contacts)}, of which ${came(first)} came to the goal.`;
  const told = [
    [figures.filter((row) => sure(row) && row.low > 0), "more of those contacted come to the goal"],
    [figures.filter((row) => sure(row) && row.high < 0), "fewer do"],
    [figures.filter((row) => row.uplift !== null && !sure(row)), "no difference is shown"],
    [figures.filter((row) => row.uplift === null), "nothing can be said"],
  ].filter(([rows]) => rows.length);
  const all = ` of ${counted(figures.length, by, KINDS[by])}`;
  return `${capital(joined(told.map(([rows, words], index) => `in ${count(rows.length)}${index ? "" : all} ${words}`)))}.`;
}

const boundsKey = () =>
  key([CAME, "more come than of those held out"], [FEWER, "fewer come"], [OTHERS, "no difference is shown"]);

function withoutGoal(names) {
  if (!names.length) return null;
  const summary = el("summary", {}, counted(names.length, "campaign without a goal", "campaigns without a goal"));
  return el("details", {}, summary, el("p", {}, named(joined(names))));
}

function partsSection(results, by) {
  const place = el("div");
  const [first] = results;
  const options = Object.fromEntries(Object.keys(KINDS).map((each) => [each, each]));
  const own = section(
    "parts",
    "What came of each",
    "",
    el("div", { class: "tools" }, choice("By", "by", options, by, show)),
    first.held_out ? boundsKey() : null,
    place,
    withoutGoal(first.without_goal),
  );
  function show(chosen) {
    const found = results.find((each) => each.by === chosen);
    own.querySelector(".lead").replaceChildren(...named(partsSentence(found)));
    place.replaceChildren(resultsTable(found));
  }
  show(by);
  return own;
}

function resultsSections({ results, by, begin }) {
  const weeks = results.find((each) => each.by === "week");
  const head = resultsHead(weeks, begin);
  if (!weeks.figures.length) return [head, []];
  return [head, [...(weeks.figures.length > 1 ? [weeksSection(weeks)] : []), partsSection(results, by)]];
}

function startResults() {
  const data = given();
  start(data, {
    zone: data.results[0].time_zone,
    parts: resultsSections,
    source: "what was decided and what came in",
  });
}

startResults();
