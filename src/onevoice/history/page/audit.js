// The page of an audit: what went out against the rules, who heard too much, and the same time under the rules.
"use strict";

const LOAD_MAX = 8; // contacts in one day, week or 30 days that have a bar of their own
const WAS = "hue-other";
const WOULD = "hue-1";

function auditSections({ audit, span }) {
  const classHues = classHuesOf({ campaigns: audit.campaigns.map((each) => ({ ...each, sent: each.contacts })) });
  return [
    [el("p", { class: "standfirst" }, auditStandfirst(audit, span)), auditFigures(audit)],
    [
      foundSection(audit),
      heardSection(audit),
      busiestSection(audit),
      hoursSection(audit),
      loggedSection(audit, classHues),
      eatingSection(audit),
      yearSection(audit, span),
      campaignsSection(audit.year, classHues),
      reasonsSection(audit.year),
      rulesSection(audit),
    ],
  ];
}

function auditStandfirst(audit, span) {
  const by = audit.playbook
    ? `the rules of the playbook ${audit.playbook}`
    : "a small set of rules, which stands at the end of this page";
  return (
    `From ${times.day(audit.first)} to ${times.day(audit.last)} today’s tools sent ${counted(audit.contacts, "message")} to ${counted(audit.customers, "customer")}. ` +
    `Held to ${by}, ${count(audit.found)} of them (${share(audit.found, audit.contacts)}) should not have gone out when they did. ` +
    `Under these rules the same ${span} would have had ${counted(audit.year.sent, "contact")}.`
  );
}

function auditFigures(audit) {
  const pairs = [
    [count(audit.contacts), "contacts in the log"],
    [count(audit.customers), audit.customers === 1 ? "customer in it" : "customers in it"],
    [count(audit.events), audit.events === 1 ? "event beside it" : "events beside it"],
    [count(audit.found), `contacts that broke a rule, ${share(audit.found, audit.contacts)}`],
    [count(audit.found_customers), `customers who had one, ${share(audit.found_customers, audit.customers)}`],
    [count(audit.year.sent), `contacts under the rules, ${share(audit.year.sent, audit.contacts)}`],
  ];
  return el(
    "dl",
    { class: "figures" },
    pairs.map(([value, name]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

// What was found.

function foundSection(audit) {
  const broken = audit.findings.filter((each) => each.contacts).sort((a, b) => b.contacts - a.contacts);
  const heading = "What went out all the same";
  if (!broken.length) return section("found", heading, "No contact of the log broke a rule.", foundTable(audit));
  const [first] = broken;
  const sentence =
    `Most often against “${first.words}”: ${counted(first.contacts, "contact")} to ${counted(first.customers, "customer")}, ` +
    `${share(first.worst_contacts, first.contacts)} of them of ${first.worst}. A contact can break several rules.`;
  const weeks = audit.finding_weeks.map((each) => ({ week: each.week, name: each.words, contacts: each.contacts }));
  const hueOf = hues(broken.map((each) => each.words));
  const shown = stacks(weeks, "name", hueOf);
  return section(
    "found",
    heading,
    sentence,
    foundTable(audit),
    el("h3", {}, "Week by week"),
    key(...shown.map((each) => [each.hue, each.name])),
    chart(260, "Contacts that broke a rule, per week", (width) => weeksOption(mondays(weeks), shown, width)).node,
    instances(audit),
  );
}

function foundTable(audit) {
  const columns = [
    { title: "Rule", text: true, value: (row) => row.words, cell: (row) => named(row.words) },
    { title: "Contacts", value: (row) => row.contacts },
    {
      title: "Of all",
      text: true,
      wide: "bars",
      value: (row) => row.contacts,
      cell: (row) => bar(
          [
            [row.contacts, "hue-2", "against it"],
            [audit.contacts - row.contacts, "rule", "not against it"],
          ],
          audit.contacts,
        ),
    },
    { title: "Share", value: (row) => row.contacts, cell: (row) => share(row.contacts, audit.contacts) },
    { title: "Customers", value: (row) => row.customers },
    { title: "Campaigns", value: (row) => row.campaigns },
    {
      title: "Most by",
      text: true,
      value: (row) => row.worst,
      cell: (row) => (row.worst ? el("span", {}, named(row.worst), ` ${count(row.worst_contacts)}`) : ""),
    },
  ];
  return table({ caption: "Rules and the contacts that broke them", columns, rows: audit.findings });
}

function instances(audit) {
  const columns = [
    { title: "Who", text: true, value: (row) => row.who, cell: (row) => named(row.who) },
    { title: "Rule", text: true, wide: "words", value: (row) => row.words, cell: (row) => named(row.words) },
    { title: "Contacts", value: (row) => row.contacts, hint: "Of this customer against this rule" },
    {
      title: "Last of them",
      value: (row) => Date.parse(row.time),
      cell: (row) => el("span", { class: "nowrap" }, times.minute(row.time)),
    },
    { title: "Campaign", text: true, value: (row) => row.campaign, cell: (row) => named(row.campaign) },
    { title: "Channel", text: true, value: (row) => row.channel },
  ];
  const rows = audit.instances;
  const examples = table({ caption: "Examples", columns, rows, sorted: 2, most: 6, search: (row) => row.who + row.words });
  return [el("h3", {}, "Examples"), examples];
}

// Who heard how much.

const PERIODS = { day: "a day", week: "a week", "30 days": "30 days" };

function heardSection(audit) {
  const view = el("div", {});
  const shown = (per) => view.replaceChildren(loadChart(shortLoad(audit.load, per), `Contacts in ${PERIODS[per]}`));
  shown("week");
  const weeks = audit.load.filter((each) => each.per === "week");
  const several = sum(
    weeks.filter((each) => each.contacts > 1),
    "periods",
  );
  const sentence = `Of all weeks in which a customer heard anything, ${share(several, sum(weeks, "periods"))} brought more than one message; the most in one week was ${count(weeks.at(-1).contacts)}.`;
  const periods = choice("In", "period", PERIODS, "week", shown);
  return section("heard", "How much one customer heard", sentence, el("div", { class: "tools" }, periods), view);
}

/** The load of one kind of period, what is above LOAD_MAX taken together. */
function shortLoad(load, per) {
  const own = load.filter((each) => each.per === per);
  const rows = own
    .filter((each) => each.contacts <= LOAD_MAX)
    .map((each) => ({ contacts: each.contacts, customer_weeks: each.periods }));
  const above = sum(
    own.filter((each) => each.contacts > LOAD_MAX),
    "periods",
  );
  return above ? [...rows, { contacts: LOAD_MAX + 1, name: `more than ${LOAD_MAX}`, customer_weeks: above }] : rows;
}

function busiestSection(audit) {
  const [first] = audit.busiest;
  const sentence = `${first.who} heard most: ${counted(first.contacts, "message")} of ${counted(first.campaigns, "campaign")}, up to ${count(first.day_max)} in one day and ${count(first.week_max)} in one week.`;
  const columns = [
    { title: "Who", text: true, value: (row) => row.who, cell: (row) => named(row.who) },
    { title: "Contacts", value: (row) => row.contacts },
    { title: "Campaigns", value: (row) => row.campaigns },
    { title: "In a day", value: (row) => row.day_max, hint: "The most in one day" },
    { title: "In a week", value: (row) => row.week_max, hint: "The most in one week" },
    { title: "Broke a rule", value: (row) => row.found },
  ];
  const rows = audit.busiest;
  return section("busiest", "Who heard most", sentence, table({ caption: "Customers by contacts", columns, rows, most: 6 }));
}

function hoursSection(audit) {
  const heading = "At what time of day";
  if (!audit.hours.length)
    return section("hours", heading, "The log knows only days: nothing can be said about the time of day.");
  const quiet = audit.findings.find((each) => each.kind === "quiet");
  const all = sum(audit.hours, "contacts");
  const sentence = quiet.contacts
    ? `${counted(quiet.contacts, "contact")}, ${share(quiet.contacts, all)} of those whose hour is known, came at night: ${quiet.words}.`
    : `No contact came at night: ${quiet.words}.`;
  return section("hours", heading, sentence, hoursChart(audit.hours));
}

function hoursChart(found) {
  const values = new Array(24).fill(0);
  const hue = new Array(24).fill("hue-1");
  for (const each of found) {
    values[each.hour] = each.contacts;
    if (each.kind === "quiet") hue[each.hour] = "hue-2";
  }
  const option = () => ({
    grid: { left: 0, right: 12, top: 10, bottom: 4 },
    xAxis: {
      type: "category",
      data: values.map((_, hour) => `${hour}:00`),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colour("rule") } },
      axisLabel: { color: colour("ink"), fontSize: 12, hideOverlap: true, interval: 2 },
    },
    yAxis: {
      type: "value",
      splitNumber: 3,
      minInterval: 1,
      axisLabel: { color: colour("muted"), fontSize: 12, formatter: count },
      splitLine: { lineStyle: { color: colour("rule") } },
    },
    series: [
      {
        type: "bar",
        barCategoryGap: "18%",
        emphasis: { disabled: true },
        data: values.map((value, hour) => ({ value, itemStyle: { color: colour(hue[hour]) } })),
      },
    ],
  });
  return [key(["hue-1", "by day"], ["hue-2", "in quiet hours"]), chart(200, "Contacts by hour", option).node];
}

// The campaigns of the log.

function loggedSection(audit, classHues) {
  const [worst] = [...audit.campaigns].sort((a, b) => b.contacts - b.sound - (a.contacts - a.sound));
  const broke = worst.contacts - worst.sound;
  const sentence = broke
    ? `${worst.campaign} has the most contacts that broke a rule: ${count(broke)} of ${count(worst.contacts)}.`
    : "No campaign has a contact that broke a rule.";
  const number = (name, title, hint) => ({ title, hint, value: (row) => row[name] });
  const columns = [
    {
      title: "Campaign",
      text: true,
      value: (row) => row.campaign,
      cell: (row) =>
        el("span", { class: "dotted" }, swatch(classHues.get(row.klass) ?? OTHERS), el("span", {}, named(row.campaign))),
    },
    number("contacts", "Contacts"),
    number("customers", "Customers"),
    {
      title: "Sound",
      text: true,
      value: (row) => row.sound / row.contacts,
      cell: (row) =>
        bar(
          [
            [row.sound, DONE, "broke no rule"],
            [row.contacts - row.sound, "hue-2", "broke a rule"],
          ],
          row.contacts,
        ),
    },
    number("over_cap", "Over a cap"),
    number("against_rule", "Against a suppression"),
    number("opted_out", "Opted out"),
    number("quiet", "Quiet hours"),
  ];
  return section(
    "logged",
    "The campaigns of the log",
    sentence,
    key([DONE, "broke no rule"], ["hue-2", "broke a rule"]),
    table({ caption: "Campaigns of the log", columns, rows: audit.campaigns, search: (row) => row.campaign + row.klass }),
  );
}

function eatingSection(audit) {
  const heading = "Which campaigns eat each other";
  const [first] = audit.pairs;
  if (!first) return section("eating", heading, "No two campaigns reached one customer within seven days.");
  const answered = audit.pairs.some((each) => each.one_after !== null || each.other_after !== null);
  const sentence =
    `${first.one} and ${first.other} reach the same people most: ${counted(first.customers, "customer")} heard both within seven days. ` +
    (answered
      ? `Where the second of two is answered less than alone, the first eats it${eaten(audit.pairs)}.`
      : "The events tell of no answers, so what this costs is not known.");
  const number = (name, title, hint) => ({ title, hint, value: (row) => row[name] });
  const percent = (title, after, alone) => ({
    title,
    hint: "Share answered within 14 days: after the other of the two, and where no campaign came before",
    value: (row) => row[after] ?? -1,
    cell: (row) => `${rate(row[after])} · ${rate(row[alone])}`,
  });
  const columns = [
    {
      title: "One and the other",
      text: true,
      value: (row) => row.one,
      cell: (row) => el("span", { class: "pair" }, el("span", {}, named(row.one)), el("span", {}, named(row.other))),
    },
    number("customers", "Customers"),
    number("times", "Times"),
    {
      title: "Who came first",
      text: true,
      wide: "bars",
      value: (row) => row.one_first / row.times,
      cell: (row) =>
        bar(
          [
            [row.one_first, "hue-1", `${row.one} first`],
            [row.other_first, "hue-2", `${row.other} first`],
          ],
          row.times,
        ),
    },
  ];
  if (answered)
    columns.push(
      percent("One after · alone", "one_after", "one_alone"),
      percent("Other after · alone", "other_after", "other_alone"),
    );
  const search = (row) => `${row.one} ${row.other}`;
  return section(
    "eating",
    heading,
    sentence,
    audit.pairs.length > 2 ? matrix(audit.pairs, "Customers whom both campaigns reached within seven days") : null,
    table({ caption: "Pairs of campaigns", columns, rows: audit.pairs, most: 8, search }),
  );
}

/** The pair whose second loses most by the first, as the end of a sentence; empty where none loses. */
function eaten(pairs) {
  const sides = pairs.flatMap((row) => [
    { first: row.other, second: row.one, after: row.one_after, alone: row.one_alone },
    { first: row.one, second: row.other, after: row.other_after, alone: row.other_alone },
  ]);
  const known = sides.filter((each) => each.after !== null && each.alone !== null && each.after < each.alone);
  const [most] = known.sort((a, b) => b.alone - b.after - (a.alone - a.after));
  return most ? `: ${most.second} after ${most.first} ${rate(most.after)}, alone ${rate(most.alone)}` : "";
}

const rate = (value) => (value === null ? "–" : `${(100 * value).toFixed(1)}%`);

// The same time under the rules.

function yearSection(audit, span) {
  const { year } = audit;
  const sentence = `Each contact of the log was taken as a wish of its campaign at its time. The rules would have let ${count(year.sent)} of ${count(audit.contacts)} go out, ${share(year.sent, audit.contacts)}; below is what became of each campaign, and what held back the rest.`;
  const days = mondays([...audit.weeks, ...year.weeks]);
  const perWeek = (weeks) => {
    const found = new Map(days.map((day) => [day, 0]));
    for (const each of weeks) found.set(each.week, found.get(each.week) + each.contacts);
    return [...found.values()];
  };
  const shown = [
    { name: "as it was", hue: WAS, values: perWeek(audit.weeks) },
    { name: "under the rules", hue: WOULD, values: perWeek(year.weeks) },
  ];
  const option = (width) => {
    const found = weeksOption(days, shown, width);
    return { ...found, series: found.series.map((each) => ({ ...each, stack: undefined, barGap: "0%" })) };
  };
  return section(
    "year",
    `The same ${span} under these rules`,
    sentence,
    key([WAS, "as it was"], [WOULD, "under the rules"]),
    chart(260, "Contacts per week, as it was and under the rules", option).node,
  );
}

function rulesSection(audit) {
  const list = (items) =>
    el(
      "ul",
      {},
      items.map((each) => el("li", {}, named(each))),
    );
  return section(
    "rules",
    "The rules, and what was read",
    audit.playbook
      ? `The rules are those of the playbook ${audit.playbook}.`
      : "No playbook was given, so these rules were taken; write your own and name it with --playbook.",
    list(audit.rules),
    audit.notes.length ? [el("h3", {}, "What could not be judged"), list(audit.notes)] : null,
    audit.rules_text ? el("details", {}, el("summary", {}, "Their text"), lines(audit.rules_text)) : null,
    el("h3", {}, "What was read"),
    lines(audit.read.join("\n")),
  );
}

const lines = (text) => el("pre", { class: "scroll", tabindex: "0" }, text);

function startAudit() {
  const data = given();
  const { time_zone, version } = data.audit;
  const rules = version ? `, playbook version ${shortVersion(version)}` : "";
  start(data, { zone: time_zone, parts: auditSections, source: `the contact log and the events${rules}` });
}

startAudit();
