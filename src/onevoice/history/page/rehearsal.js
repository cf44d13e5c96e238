// The page of a rehearsal: what happened, and beside it what another playbook makes of the same events.
"use strict";

const SIDES = [
  ["happened", "hue-other"],
  ["rehearsed", "hue-1"],
];
const TOTALS = { wishes: "wishes: times that a campaign wanted a customer" };
const SPREAD_MAX = 7; // changes shown one by one, to each side; those beyond are one bar

const signed = (value) => (value > 0 ? `+${count(value)}` : value < 0 ? `−${count(-value)}` : "0");
const sideKey = () => key(...SIDES.map(([name, hue]) => [hue, name]));

function rehearsalHead(rehearsal) {
  const told = rehearsal.totals.filter((each) => each.happened || each.rehearsed);
  const figures = told.map(({ name, happened, rehearsed }) =>
    el(
      "div",
      {},
      el("dt", {}, `${TOTALS[name] ?? name}, ${happened === rehearsed ? "unchanged" : `instead of ${count(happened)}`}`),
      el("dd", {}, count(rehearsed)),
    ),
  );
  return [
    el("p", { class: "standfirst" }, named(rehearsalSentence(rehearsal))),
    el("dl", { class: "figures" }, figures),
    el(
      "p",
      { class: "honest" },
      "What customers did is taken as it happened. What they would have answered to a message that was not sent, and what they would not have done without one that was, nobody knows: a rehearsal tells what would have been said, not what would have been sold.",
    ),
  ];
}

function rehearsalSentence(rehearsal) {
  if (!rehearsal.first) return "Nothing is decided in this window, neither as it happened nor as it is rehearsed.";
  const more = sum(
    rehearsal.spread.filter((each) => each.change > 0),
    "customers",
  );
  const less = sum(
    rehearsal.spread.filter((each) => each.change < 0),
    "customers",
  );
  const contacts = rehearsal.totals.find((each) => each.name === "contacts");
  const same = rehearsal.differing ? "" : " Every decision is what it was.";
  return (
    `From ${times.day(rehearsal.first)} to ${times.day(rehearsal.last)}, ${counted(rehearsal.lines, "line")}: ${counted(contacts.rehearsed, "contact")} instead of ${count(contacts.happened)}. ` +
    `${capital(counted(more, "customer"))} would have heard more, ${count(less)} less.${same}`
  );
}

function weeksBeside(rehearsal) {
  const heading = "Contacts week by week";
  if (!rehearsal.weeks.length) return section("weeks", heading, "No contact went out on either side.");
  const days = mondays(rehearsal.weeks);
  const classes = [...new Set(rehearsal.weeks.map((each) => each.klass))].sort();
  const view = { klass: "" };
  const shown = () =>
    SIDES.map(([side, hue]) => ({
      name: side,
      stack: side,
      hue,
      values: days.map((day) =>
        sum(
          rehearsal.weeks.filter((each) => each.week === day && (!view.klass || each.klass === view.klass)),
          side,
        ),
      ),
    }));
  const own = chart(300, "Contacts per week, what happened beside what is rehearsed", (width) =>
    weeksOption(days, shown(), width),
  );
  const options = { "": "all", ...Object.fromEntries(classes.map((name) => [name, shortened(name, 24)])) };
  const choose = choice("Class", "class", options, "", (klass) => {
    view.klass = klass;
    own.draw();
  });
  const most = (side) => Math.max(...shown().find((each) => each.name === side).values);
  const sentence = `The fullest week had ${counted(most("happened"), "contact")}; rehearsed, the fullest has ${count(most("rehearsed"))}.`;
  return section("weeks", heading, sentence, el("div", { class: "tools" }, choose), sideKey(), own.node);
}

/** Two bars below each other, of the same scale. */
const bothBars = (happened, rehearsed, most) =>
  el(
    "div",
    { class: "both" },
    bar([[happened, "hue-other", "happened"]], most),
    bar([[rehearsed, "hue-1", "rehearsed"]], most),
  );

/** The columns of one count on both sides: each side, the change, and bars. */
function besideColumns(happened, rehearsed, most) {
  return [
    { title: "Happened", value: happened },
    { title: "Rehearsed", value: rehearsed },
    {
      title: "Change",
      value: (row) => Math.abs(rehearsed(row) - happened(row)),
      cell: (row) => signed(rehearsed(row) - happened(row)),
    },
    {
      title: "Compared",
      text: true,
      wide: "bars",
      value: rehearsed,
      cell: (row) => bothBars(happened(row), rehearsed(row), most),
    },
  ];
}

const greatest = (rows, ...names) => Math.max(1, ...rows.flatMap((row) => names.map((name) => row[name])));

function campaignsBeside(rehearsal) {
  const outbound = rehearsal.campaigns.filter((each) => each.wishes_happened || each.wishes_rehearsed);
  const shown = rehearsal.campaigns.filter((each) => each.shown_happened || each.shown_rehearsed);
  const changed = outbound.filter((each) => each.sent_happened !== each.sent_rehearsed);
  const [first] = [...changed].sort(
    (a, b) => Math.abs(b.sent_rehearsed - b.sent_happened) - Math.abs(a.sent_rehearsed - a.sent_happened),
  );
  const sentence = first
    ? `${count(changed.length)} of ${counted(outbound.length, "campaign")} would have gone out more or less often; ${first.campaign} changes most, ${counted(first.sent_rehearsed, "time")} instead of ${count(first.sent_happened)}.`
    : "Each campaign would have gone out as often as it did.";
  return section(
    "campaigns",
    "What becomes of each campaign",
    sentence,
    sideKey(),
    outbound.length ? campaignTable("Contacts of campaigns", outbound, "sent") : null,
    shown.length ? [el("h3", {}, "Shown at placements"), campaignTable("Shown at placements", shown, "shown")] : null,
  );
}

const WISHES = {
  title: "Wishes",
  hint: "How often it wanted a customer, as it happened and as it is rehearsed",
  value: (row) => row.wishes_rehearsed,
  cell: (row) => `${count(row.wishes_happened)} → ${count(row.wishes_rehearsed)}`,
};

const HELD_OUT = {
  title: "Held out",
  hint: "Contacts that were not made to customers who are held out, to compare: as it happened and as it is rehearsed",
  value: (row) => row.held_out_rehearsed,
  cell: (row) => `${count(row.held_out_happened)} → ${count(row.held_out_rehearsed)}`,
};

function campaignTable(caption, rows, name) {
  const [happened, rehearsed] = [`${name}_happened`, `${name}_rehearsed`];
  const columns = [
    { title: "Campaign", text: true, value: (row) => row.campaign, cell: (row) => named(row.campaign) },
    ...besideColumns(
      (row) => row[happened],
      (row) => row[rehearsed],
      greatest(rows, happened, rehearsed),
    ),
    ...(rows.some((row) => row.wishes_happened || row.wishes_rehearsed) ? [WISHES] : []),
    ...(rows.some((row) => row.held_out_happened || row.held_out_rehearsed) ? [HELD_OUT] : []),
    { title: "Class", text: true, value: (row) => row.klass },
    ...(rows.some((row) => row.owner) ? [{ title: "Owner", text: true, value: (row) => row.owner }] : []),
  ];
  return table({ caption, columns, rows, sorted: 3, search: (row) => `${row.campaign} ${row.klass} ${row.owner}` });
}

function groupsBeside(rehearsal) {
  const rows = rehearsal.groups;
  const columns = [
    {
      title: "Contacts by",
      text: true,
      value: (row) => `${row.by} ${row.name}`,
      cell: (row) => named(`${row.by}: ${row.name || "none"}`),
    },
    ...besideColumns(
      (row) => row.happened,
      (row) => row.rehearsed,
      greatest(rows, "happened", "rehearsed"),
    ),
  ];
  const changed = rows.filter((row) => row.happened !== row.rehearsed).length;
  const sentence = changed
    ? `Contacts change in ${count(changed)} of the ${counted(rows.length, "row")} below.`
    : "Classes, owners and channels would have spoken as much as they did.";
  return section(
    "groups",
    "Contacts by class, owner and channel",
    sentence,
    sideKey(),
    table({ caption: "Contacts by class, owner and channel", columns, rows, most: 20, sorted: 0, up: true }),
  );
}

function reasonsBeside(rehearsal) {
  const rows = rehearsal.reasons;
  const columns = [
    {
      title: "Reason and rule",
      text: true,
      value: (row) => reasonName(row.reason) + row.words + row.placement,
      cell: (row) => [reasonCell(row), row.placement ? el("span", { class: "muted" }, `at ${row.placement}`) : null],
    },
    ...besideColumns(
      (row) => row.wishes_happened,
      (row) => row.wishes_rehearsed,
      greatest(rows, "wishes_happened", "wishes_rehearsed"),
    ),
    {
      title: "Customers",
      value: (row) => row.customers_rehearsed,
      cell: (row) => `${count(row.customers_happened)} → ${count(row.customers_rehearsed)}`,
    },
  ];
  const fresh = rows.filter((row) => !row.wishes_happened).length;
  const sentence = rows.length
    ? `${capital(counted(rows.length, "reason"))} held wishes back, as it happened or as it is rehearsed${fresh ? `; ${count(fresh)} only in the rehearsal` : ""}. A rule that was changed is two rows: as it was, and as it is now.`
    : "Nothing was held back on either side.";
  return section(
    "reasons",
    "What holds wishes back",
    sentence,
    sideKey(),
    rows.length
      ? table({ caption: "Reasons", columns, rows, sorted: 3, search: (row) => `${row.reason} ${row.words}` })
      : null,
  );
}

/** The spread with what lies far out taken together. */
function spreadRows(spread) {
  const far = (rows, name) => (rows.length ? [{ name, value: sum(rows, "customers"), hue: "hue-other" }] : []);
  const near = spread.filter((each) => Math.abs(each.change) <= SPREAD_MAX);
  return [
    ...far(
      spread.filter((each) => each.change < -SPREAD_MAX),
      `−${SPREAD_MAX + 1} and less`,
    ),
    ...near.map((each) => ({
      name: signed(each.change),
      value: each.customers,
      hue: each.change > 0 ? "hue-1" : each.change ? "hue-2" : "hue-other",
    })),
    ...far(
      spread.filter((each) => each.change > SPREAD_MAX),
      `+${SPREAD_MAX + 1} and more`,
    ),
  ];
}

function customersBeside(rehearsal) {
  const total = (name) => rehearsal.totals.find((each) => each.name === name);
  const [nothing, much] = [total("customers not contacted"), total("customers over the limit")];
  const sentence =
    `${capital(counted(nothing.rehearsed, "customer"))} would not have been contacted, instead of ${count(nothing.happened)}; ${count(much.rehearsed)} more often than the limit, instead of ${count(much.happened)}. ` +
    `The limit: ${rehearsal.too_much}.`;
  const changed = [...rehearsal.gained, ...rehearsal.lost];
  const columns = [
    { title: "Customer", text: true, value: (row) => row.customer, cell: (row) => String(row.customer) },
    ...besideColumns(
      (row) => row.happened,
      (row) => row.rehearsed,
      greatest(changed, "happened", "rehearsed"),
    ),
  ];
  return section(
    "customers",
    "Who hears more, who hears less",
    sentence,
    el("h3", {}, "Customers by contacts more or less"),
    barsChart("Customers by contacts more or less", spreadRows(rehearsal.spread)),
    changed.length
      ? [
          el("h3", {}, "Whose contacts change most"),
          sideKey(),
          table({ caption: "Customers whose contacts change most", columns, rows: changed, sorted: 3 }),
        ]
      : null,
  );
}

function differencesSection(rehearsal) {
  const heading = "Decisions that differ";
  if (!rehearsal.differing)
    return section("differences", heading, "None: each decision is what it was, reason by reason.");
  const rows = rehearsal.differences;
  const columns = [
    { title: "Difference", text: true, value: (row) => row.difference, cell: (row) => capital(row.difference) },
    { title: "Decisions", value: (row) => row.decisions },
    {
      title: "Compared",
      text: true,
      wide: "bars",
      value: (row) => row.decisions,
      cell: (row) => bar([[row.decisions, "hue-1", row.difference]], rows[0].decisions),
    },
  ];
  return section(
    "differences",
    heading,
    `${count(rehearsal.decisions)} were made as it happened; the rehearsal differs in ${count(rehearsal.differing)}: in what is chosen, or in why something is not. A decision that comes an hour later counts as two: one that is gone, and one that is new.`,
    table({ caption: "Differing decisions by what differs", columns, rows }),
    el("h3", {}, `${capital(counted(rehearsal.examples.length, "example"))}, from both sides`),
    el("p", { class: "when" }, "What a campaign has to pass, in this order; the marks beside it show how far it came:"),
    gateNames(),
    rehearsal.examples.map(exampleOf),
  );
}

function exampleOf(example, index) {
  const whom = example.customer < 0 ? "" : `: customer ${example.customer}`;
  return el(
    "details",
    { class: "example", open: index === 0 },
    el("summary", {}, `${capital(example.difference)}${whom}, ${times.minute(example.time)}`),
    explained("As it happened", example.happened, example.is_happened),
    explained("As it is rehearsed", example.rehearsed, example.is_rehearsed),
  );
}

function explained(side, why, isThen) {
  if (!why) return [el("h3", {}, side), nothing("Nothing was decided about this campaign.")];
  const when = isThen ? why.time : `nothing was decided at that time; what was decided about it, on ${why.time}`;
  return [
    el("h3", {}, side),
    el("p", { class: "when" }, named(`${when}: ${why.headline}`)),
    why.told.length ? el("ol", { class: "told" }, why.told.map(toldRow)) : nothing("There was no candidate."),
  ];
}

function rehearsalSections({ rehearsal }) {
  if (!rehearsal.first) return [rehearsalHead(rehearsal), []];
  const parts = [weeksBeside, campaignsBeside, groupsBeside, reasonsBeside, customersBeside, differencesSection];
  return [rehearsalHead(rehearsal), parts.map((part) => part(rehearsal))];
}

function startRehearsal() {
  const data = given();
  const { time_zone, version, before_version } = data.rehearsal;
  start(data, {
    zone: time_zone,
    parts: rehearsalSections,
    source: `a rehearsal of playbook version ${shortVersion(version)}; ${shortVersion(before_version)} is in force`,
  });
}

startRehearsal();
