// The sections of a report that are sentences, figures and tables.
"use strict";

/** The classes, those with the most contacts first, so that each has the same hue everywhere. */
function classHuesOf(report, why) {
  const weight = new Map();
  for (const each of report?.campaigns ?? []) weight.set(each.klass, (weight.get(each.klass) ?? 0) + each.sent);
  for (const each of why?.told ?? []) if (each.klass && !weight.has(each.klass)) weight.set(each.klass, 0);
  return hues([...weight.keys()].sort((a, b) => weight.get(b) - weight.get(a)));
}

function figures(report, took) {
  const pairs = [
    [
      count(report.events),
      `${report.events === 1 ? "event" : "events"} came in${report.events === report.lines ? "" : `, in ${counted(report.lines, "line")}`}`,
    ],
    took && [count(Math.round(report.lines / took)), `lines a second, ${count(took)}\u00a0s in all`],
    [count(report.customers), report.customers === 1 ? "customer" : "customers"],
    [count(report.wishes), "wishes of campaigns to reach one of them"],
    [count(report.sent), report.wishes ? `contacts, ${share(report.sent, report.wishes)} of the wishes` : "contacts"],
    [
      count(report.held),
      report.wishes ? `wishes held back at least once, ${share(report.held, report.wishes)}` : "wishes held back",
    ],
    report.asks && [count(report.shown), `shown at placements, at ${counted(report.asks, "ask")} with a candidate`],
  ];
  return el(
    "dl",
    { class: "figures" },
    pairs.filter(Boolean).map(([value, name]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

function standfirst(report) {
  if (!report.first)
    return "Nothing has been decided yet. Once campaigns wish to reach customers, this page shows what became of it.";
  const wanting = report.campaigns.filter((each) => each.wishes).length;
  return (
    `From ${times.day(report.first)} to ${times.day(report.last)}, ${counted(wanting, "campaign")} wanted customers ${counted(report.wishes, "time")}. ` +
    `One decision after another let ${count(report.sent)} of these wishes become a contact: at most one at a time, by rules that hold for all campaigns together.`
  );
}

/** What is paused or stopped now; null where all of it goes. */
function offSection(report) {
  if (!report.off.length) return null;
  const name = (row) => (row.what === "all" ? "everything" : row.what === "class" ? `class ${row.name}` : row.name);
  const text = (title, value) => ({ title, text: true, value });
  const columns = [
    { ...text("What", name), cell: (row) => named(name(row)) },
    text("State", (row) => row.state),
    {
      title: "Since",
      value: (row) => (row.since ? Date.parse(row.since) : 0),
      cell: (row) => el("span", { class: "nowrap" }, row.since ? times.minute(row.since) : "not known"),
    },
    text("By", (row) => (row.limit ? `its own ${row.limit}` : row.by)),
    text("Why", (row) => row.reason),
    { title: "Waiting", value: (row) => row.waiting, hint: "Wishes of it that wait, and can expire meanwhile" },
  ];
  const sentence = "Nothing of this goes out until it is resumed.";
  return section("off", "Off now", sentence, table({ caption: "What is off now", columns, rows: report.off }));
}

function weeksSection(report, classHues) {
  if (!report.weeks.length) return section("weeks", "Contacts week by week", "No contact went out.");
  const perWeek = new Map(mondays(report.weeks).map((week) => [week, 0]));
  for (const each of report.weeks) perWeek.set(each.week, perWeek.get(each.week) + each.contacts);
  const [fullest, most] = [...perWeek].reduce((best, each) => (each[1] > best[1] ? each : best));
  const usual = [...perWeek.values()].sort((a, b) => a - b)[Math.floor(perWeek.size / 2)];
  const [top] = stacks(report.weeks, "klass", classHues);
  const sentence =
    `${share(top.total, sum(report.weeks, "contacts"))} of all contacts are of class ${top.name}. The fullest week, that of ${times.date(fullest)}, had ${count(most)}, ` +
    `a usual one ${count(usual)}${most > 2 * usual ? ": whoever staffs a channel must plan for the peak, not for the mean" : ""}.`;
  return section("weeks", "Contacts week by week", sentence, weeksChart(report.weeks, classHues));
}

const ENDS = [
  ["sent", DONE, "sent"],
  ["expired", LOST, "expired"],
  ["ended", "ended", "ended"],
  ["not_eligible", "unfit", "no longer eligible"],
  ["held_out", "held", "held out"],
  ["waiting", "track", "waiting"],
];

function campaignColumns(classHues) {
  const number = (name, title, hint) => ({ title, hint, value: (row) => row[name] });
  const sentShare = (row) => (row.wishes ? row.sent / row.wishes : -1);
  const dot = (row) => swatch(classHues.get(row.klass) ?? OTHERS);
  return [
    {
      title: "Campaign",
      text: true,
      value: (row) => row.campaign,
      cell: (row) => el("span", { class: "dotted" }, dot(row), el("span", {}, named(row.campaign))),
    },
    number("wishes", "Wishes", "How often it wanted a customer"),
    number("sent", "Sent"),
    { title: "Share sent", value: sentShare, cell: (row) => share(row.sent, row.wishes) },
    {
      title: "Outcome",
      text: true,
      value: sentShare,
      cell: (row) =>
        row.wishes
          ? bar(
              ENDS.map(([name, hue, told]) => [row[name], hue, told]),
              row.wishes,
            )
          : "",
    },
    number("expired", "Expired", "Were not chosen in time"),
    number("ended", "Ended", "An event came that ends them"),
    number("waiting", "Waiting", "Have met no end yet"),
    number("customers", "Customers"),
    number("shown", "Shown", "At placements"),
    {
      title: "Of asks",
      value: (row) => (row.asks ? row.shown / row.asks : -1),
      cell: (row) => share(row.shown, row.asks),
      hint: "Share of the asks of placements in which it wanted to be there",
    },
    { title: "Class", text: true, value: (row) => row.klass },
    { title: "Owner", text: true, value: (row) => row.owner },
  ];
}

function campaignsSection(report, classHues) {
  if (!report.campaigns.length)
    return section("campaigns", "What became of each campaign", "The playbook has no campaign.");
  const wanting = report.campaigns.filter((each) => each.wishes);
  const first = wanting[0];
  const idle = report.campaigns.filter((each) => !each.wishes && !each.asks).length;
  const sentence = [
    first &&
      `${first.campaign} got ${share(first.sent, report.sent)} of all contacts, ${first.sent < first.wishes / 2 ? "and still only" : "which is"} ${share(first.sent, first.wishes)} of what it wished for.`,
    first && first.expired > first.sent ? "Most of its wishes expired unsaid." : null,
    idle ? `${capital(counted(idle, "campaign"))} never wanted anybody.` : null,
  ];
  const own = table({
    caption: "Campaigns",
    columns: campaignColumns(classHues),
    rows: report.campaigns,
    sorted: 2,
    search: (row) => `${row.campaign} ${row.klass} ${row.owner}`,
  });
  return section(
    "campaigns",
    "What became of each campaign",
    sentence.filter(Boolean).join(" "),
    key(...ENDS.map(([, hue, name]) => [hue, name])),
    own,
  );
}

const REASONS = {
  expired: "not chosen in time",
  ended: "an event ended it",
  not_eligible: "its condition no longer holds",
  too_many: "too many campaigns wait",
  stopped: "it was stopped",
  paused: "it was paused",
  stale: "a source that it depends on had stopped",
  no_consent: "no consent",
  no_address: "no address",
  suppressed: "suppressed by what goes on",
  again_after: "its own last contact is too recent",
  no_capacity: "a resource had no room",
  hours: "the channel was closed",
  gap: "the last contact is too recent",
  cap: "a cap was full",
  kept_for: "kept for what is planned",
  outranked: "another campaign ranked higher",
  would_have_won: "held out, to be compared",
};

const reasonName = (reason) => capital(REASONS[reason] ?? reason.replaceAll("_", " "));

/** What held wishes back: the reason, and the rule in words where they are known. */
function reasonCell(row) {
  return el(
    "div",
    { class: "reason" },
    el("b", {}, reasonName(row.reason)),
    row.words || row.rule ? el("span", {}, row.words, " ", row.rule ? code(row.rule) : null) : null,
  );
}

function reasonTable(caption, rows, isAsk) {
  const most = Math.max(...rows.map((row) => row.wishes));
  const parts = (row) => [
    [row.sent_later, DONE, "went out later"],
    [row.wishes - row.sent_later, LOST, isAsk ? "not shown" : "never went out"],
  ];
  const columns = [
    {
      title: "Reason and rule",
      text: true,
      value: (row) => reasonName(row.reason) + row.rule,
      cell: (row) => reasonCell(row),
    },
    { title: isAsk ? "Not shown" : "Held back", value: (row) => row.wishes },
    {
      title: isAsk ? "Compared" : "Later or never",
      text: true,
      wide: "bars",
      value: (row) => row.wishes,
      cell: (row) => bar(parts(row), most),
    },
    { title: "Customers", value: (row) => row.customers },
  ];
  if (!isAsk)
    columns.push({
      title: "Went out later",
      value: (row) => row.sent_later / row.wishes,
      cell: (row) => `${count(row.sent_later)} · ${share(row.sent_later, row.wishes)}`,
    });
  return table({ caption, columns, rows });
}

function reasonsSection(report) {
  const heading = "What held wishes back";
  const held = report.reasons.filter((each) => !each.placement);
  const parts = [];
  let sentence = "Nothing was held back.";
  if (held.length) {
    const [first] = held;
    const later = sum(held, "sent_later") / sum(held, "wishes");
    sentence =
      `Held back most often because ${REASONS[first.reason] ?? first.reason}${first.words ? ` (${first.words})` : ""}: ${counted(first.wishes, "wish", "wishes")} of ${counted(first.customers, "customer")}. ` +
      (later < 0.5
        ? "In most cases what is held back is never said: a rule does not delay, it chooses whom to leave in peace."
        : "In most cases what is held back goes out later: the rules mainly delay.") +
      " A wish can be held back by several rules.";
    parts.push(
      key([DONE, "went out later"], [LOST, "never went out"]),
      reasonTable("Reasons that held wishes back", held, false),
    );
  }
  for (const place of new Set(report.reasons.map((each) => each.placement).filter(Boolean))) {
    const rows = report.reasons.filter((each) => each.placement === place);
    parts.push(el("h3", {}, "At the placement ", el("em", {}, place)), reasonTable(`Reasons at ${place}`, rows, true));
  }
  return section("reasons", heading, sentence, parts);
}

function loadSection(report) {
  const all = sum(report.load, "customer_weeks");
  const several = sum(
    report.load.filter((each) => each.contacts > 1),
    "customer_weeks",
  );
  const none = sum(
    report.load.filter((each) => !each.contacts),
    "customer_weeks",
  );
  const sentence = all
    ? `In ${share(none, all)} of all weeks a customer heard nothing, in ${share(several, all)} more than once; the most in one week was ${report.load.at(-1).contacts}.`
    : "No contact went out.";
  return section("load", "How much one customer hears", sentence, all ? loadChart(report.load) : null);
}

function crowdedSection(report) {
  const heading = "The most crowded customers";
  if (!report.crowded.length) return section("crowded", heading, "No customer was wanted by several campaigns.");
  const first = report.crowded[0];
  const sentence = `${capital(counted(first.at_once, "wish", "wishes"))} waited for customer ${first.customer} at the same time on ${times.day(first.since)}. If each campaign spoke for itself, every one of them would be a message.`;
  const columns = [
    { title: "Customer", text: true, value: (row) => row.customer, cell: (row) => String(row.customer) },
    { title: "At once", value: (row) => row.at_once, hint: "Wishes that waited at the same time" },
    {
      title: "On",
      value: (row) => Date.parse(row.since),
      cell: (row) => el("span", { class: "nowrap" }, times.day(row.since)),
    },
    { title: "Wishes", value: (row) => row.wishes },
    { title: "Campaigns", value: (row) => row.campaigns },
    { title: "Sent", value: (row) => row.sent },
    { title: "Share sent", value: (row) => row.sent / row.wishes, cell: (row) => share(row.sent, row.wishes) },
  ];
  return section(
    "crowded",
    heading,
    sentence,
    table({ caption: "Customers by wishes at once", columns, rows: report.crowded, most: 6 }),
  );
}
