// What ECharts draws: contacts per week, and how many contacts a customer had in a week.
"use strict";

const charts = [];

/** A chart that draws itself anew when its width or the colours change. `option` is asked for each time. */
function chart(height, label, option) {
  const node = el("div", { class: "chart", role: "img", "aria-label": label, style: { height: `${height}px` } });
  const own = { node, made: null };
  own.draw = () => {
    own.made ??= echarts.init(node, null, { renderer: "svg" });
    own.made.setOption(
      {
        animation: false,
        textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
        ...option(node.clientWidth),
      },
      true,
    );
  };
  const fit = () => {
    if (!node.clientWidth) return;
    own.made?.resize();
    own.draw();
  };
  new ResizeObserver(fit).observe(node);
  charts.push(own);
  return own;
}

const redrawCharts = () => charts.forEach((each) => each.made && each.draw());

/** Every Monday from the first week with contacts to the last. */
function mondays(weeks) {
  const days = [...new Set(weeks.map((each) => each.week))].sort();
  const found = [];
  for (let at = Date.parse(days[0]); at <= Date.parse(days.at(-1)); at += 7 * 86400e3)
    found.push(new Date(at).toISOString().slice(0, 10));
  return found;
}

/** The contacts by week and name: the names that weigh most, each with its hue, and the rest as one. */
function stacks(weeks, by, fixed) {
  const totals = new Map();
  for (const each of weeks) totals.set(each[by], (totals.get(each[by]) ?? 0) + each.contacts);
  const names = [...totals.keys()].sort((a, b) => totals.get(b) - totals.get(a));
  const own = names.slice(0, names.length > HUES.length ? HUES.length - 1 : HUES.length);
  const palette = fixed ?? hues(own);
  const rest = names.length - own.length;
  const at = new Map(mondays(weeks).map((week, index) => [week, index]));
  const found = own.map((name) => ({
    name,
    hue: palette.get(name) ?? OTHERS,
    total: totals.get(name),
    values: new Array(at.size).fill(0),
  }));
  if (rest) found.push({ name: counted(rest, "other"), hue: OTHERS, total: 0, values: new Array(at.size).fill(0) });
  for (const each of weeks) {
    const index = own.indexOf(each[by]);
    const stack = found[index < 0 ? own.length : index];
    stack.values[at.get(each.week)] += each.contacts;
    if (index < 0) stack.total += each.contacts;
  }
  return found;
}

function weeksOption(days, shown, width) {
  const ink = colour("muted");
  const rule = colour("rule");
  const months = width > 560 ? 1 : 3;
  const month = (index) => days[index].slice(5, 7);
  const isFirst = (index) =>
    (index === 0 && months === 1) ||
    (index > 0 && month(index) !== month(index - 1) && (Number(month(index)) - 1) % months === 0);
  const label = (day, index) =>
    index === 0 || day.slice(5, 7) === "01"
      ? `${times.date(day, { month: "short" })}\n${day.slice(0, 4)}`
      : times.date(day, { month: "short" });
  return {
    grid: { left: 0, right: 12, top: 10, bottom: 4 },
    xAxis: {
      type: "category",
      data: days,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: rule } },
      axisLabel: {
        color: ink,
        fontSize: 12,
        align: "left",
        hideOverlap: true,
        interval: isFirst,
        formatter: label,
        lineHeight: 15,
      },
    },
    yAxis: {
      type: "value",
      splitNumber: 4,
      minInterval: 1,
      axisLabel: { color: ink, fontSize: 12, formatter: count },
      splitLine: { lineStyle: { color: rule } },
    },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "shadow", shadowStyle: { color: rule, opacity: 0.35 } },
      ...plainTip(),
      formatter: ([first]) => weekTip(days[first.dataIndex], shown, first.dataIndex),
    },
    series: shown.map((each) => ({
      name: each.name,
      type: "bar",
      stack: each.stack ?? "all",
      data: each.values,
      barMaxWidth: 56,
      barCategoryGap: width > 700 ? "18%" : "8%",
      itemStyle: { color: colour(each.hue) },
      emphasis: { disabled: true },
    })),
  };
}

const plainTip = () => ({
  confine: true,
  backgroundColor: "transparent",
  borderWidth: 0,
  padding: 0,
  extraCssText: "box-shadow:none",
  transitionDuration: 0,
});

function weekTip(day, shown, index) {
  const rows = shown.map((each) => [each, each.values[index]]).filter(([, value]) => value);
  return el(
    "div",
    { class: "tip inside" },
    el(
      "strong",
      {},
      `Week of ${times.date(day)}: ${counted(
        rows.reduce((total, [, value]) => total + value, 0),
        "contact",
      )}`,
    ),
    rows.map(([each, value]) => el("div", {}, swatch(each.hue), `${each.name} `, el("b", {}, count(value)))),
  );
}

function weeksChart(weeks, classHues) {
  const days = mondays(weeks);
  const view = { by: "klass", hidden: new Set() };
  const legend = el("div", { class: "legend" });
  const stacked = () => stacks(weeks, view.by, view.by === "klass" ? classHues : null);
  const own = chart(300, "Contacts per week, stacked", (width) =>
    weeksOption(
      days,
      stacked().filter((each) => !view.hidden.has(each.name)),
      width,
    ),
  );
  const listed = el("details", {}, el("summary", {}, "As a table"));
  const list = () => listed.open && listed.replaceChildren(listed.firstChild, weeksTable(days, stacked()));
  listed.addEventListener("toggle", list);

  function draw() {
    legend.replaceChildren(...stacked().map((each) => legendButton(each, view.hidden, draw)));
    if (own.made) own.draw();
    list();
  }
  draw();
  const switched = choice(
    "Stacked by",
    "stacked",
    { klass: "class", channel: "channel", campaign: "campaign" },
    "klass",
    (by) => {
      view.by = by;
      view.hidden.clear();
      draw();
    },
  );
  return [el("div", { class: "tools" }, switched, legend), own.node, listed];
}

function legendButton(each, hidden, draw) {
  const act = () => (hidden.delete(each.name) || hidden.add(each.name), draw());
  return el(
    "button",
    { type: "button", "aria-pressed": String(!hidden.has(each.name)), on: { click: act } },
    swatch(each.hue),
    el("span", { title: each.name }, shortened(each.name, 36)),
    el("b", {}, count(each.total)),
  );
}

function weeksTable(days, shown) {
  const columns = [{ title: "Week of", text: true, value: (row) => row, cell: (row) => times.date(row) }];
  for (const each of shown) columns.push({ title: each.name, value: (row) => each.values[days.indexOf(row)] });
  return table({ caption: "Contacts per week", columns, rows: days, sorted: 0, up: true, most: 200 });
}

function loadChart(load, what = "Customers' weeks by contacts") {
  const rows = load.map((each) => ({
    name: each.name ?? (each.contacts ? counted(each.contacts, "contact") : "none"),
    value: each.customer_weeks,
    hue: each.contacts ? "hue-1" : "hue-other",
  }));
  return barsChart(what, rows);
}

/** Rows of {name, value, hue} as bars below each other, each with its share of all. */
function barsChart(what, rows) {
  const all = sum(rows, "value");
  const told = rows.map((each) => `${each.name}: ${count(each.value)}`).join(", ");
  const option = () => ({
    grid: { left: 0, right: 118, top: 0, bottom: 0 },
    xAxis: { type: "value", show: false },
    yAxis: {
      type: "category",
      inverse: true,
      data: rows.map((each) => each.name),
      axisTick: { show: false },
      axisLine: { show: false },
      axisLabel: { color: colour("ink"), fontSize: 13, interval: 0 },
    },
    series: [
      {
        type: "bar",
        barCategoryGap: "28%",
        barMinHeight: 1,
        emphasis: { disabled: true },
        data: rows.map((each) => ({ value: each.value, itemStyle: { color: colour(each.hue) } })),
        label: {
          show: true,
          position: "right",
          color: colour("muted"),
          fontSize: 12,
          formatter: ({ value }) => `${count(value)} · ${share(value, all)}`,
        },
      },
    ],
  });
  return chart(Math.max(60, 30 * rows.length), `${what}: ${told}`, option).node;
}
