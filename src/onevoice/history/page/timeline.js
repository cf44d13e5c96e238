// The lanes of one customer, drawn, zoomed and moved.
"use strict";

const DAY = 86400e3;
const LANE_HEIGHT = 20;
const CHILDREN_MAX = 60; // lanes under one
const LISTED_MAX = 500; // lines

/** What one sees now: [from, to) of all that there is, and a lane's width in pixels. */
function viewOf(timeline) {
  const starts = [
    ...timeline.events.map((each) => each.time),
    ...timeline.bands.map((each) => each.since),
    ...timeline.decisions.map((each) => each.time),
  ].map((each) => Date.parse(each));
  const last = Date.parse(timeline.now);
  const first = starts.reduce((least, each) => Math.min(least, each), last - DAY);
  const pad = (last - first) * 0.01;
  return { first: first - pad, last: last + pad, from: first - pad, to: last + pad, width: 600 };
}

const placed = (view, at) => ((at - view.from) / (view.to - view.from)) * view.width;

function look(view, from, to) {
  const span = Math.min(Math.max(to - from, DAY / 4), view.last - view.first);
  view.from = Math.min(Math.max(from, view.first), view.last - span);
  view.to = view.from + span;
}

const zoom = (view, factor, at = (view.from + view.to) / 2) =>
  look(view, at - (at - view.from) * factor, at + (view.to - at) * factor);
const move = (view, part) =>
  look(view, view.from + (view.to - view.from) * part, view.to + (view.to - view.from) * part);

/** Days and months of the playbook's zone at which a line is drawn, about one in 90 pixels. */
function ticks(view) {
  const days = ((view.to - view.from) / DAY / view.width) * 90;
  return days > 20
    ? monthTicks(view, [1, 2, 3, 6, 12, 24, 60].find((each) => each * 30 > days) ?? 120)
    : dayTicks(view, days);
}

function monthTicks(view, every) {
  const start = new Date(times.local(view.from));
  const found = [];
  for (let month = start.getUTCFullYear() * 12 + start.getUTCMonth(); ; month++) {
    const at = times.instant(Date.UTC(Math.floor(month / 12), month % 12, 1));
    if (at > view.to) return found;
    if (month % every === 0 && at >= view.from)
      found.push([at, month % 12 === 0 ? String(month / 12) : times.months.format(at)]);
  }
}

function dayTicks(view, days) {
  const every = [0.25, 0.5, 1, 2, 7, 14].find((each) => each > days) ?? 28;
  const found = [];
  const step = every * DAY;
  for (let local = Math.ceil(times.local(view.from) / step) * step; times.instant(local) <= view.to; local += step) {
    const at = times.instant(local);
    found.push([
      at,
      local % DAY
        ? times.clock.format(at)
        : times.date(new Date(local).toISOString().slice(0, 10), { day: "numeric", month: "short" }),
    ]);
  }
  return found;
}

const SHAPES = {
  tick: (x) => `M${x} 4v12`,
  short: (x) => `M${x} 8v4`,
  dot: (x) => `M${x - 4.5} 10a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0`,
  ring: (x) => `M${x - 3} 10a3 3 0 1 0 6 0a3 3 0 1 0-6 0`,
  cross: (x) => `M${x - 2.5} 7.5l5 5m0-5l-5 5`,
};

/** One lane as SVG: all marks of one look are one path, so that thousands of them are quick. */
function drawn(own, view, lines) {
  const seen = own.marks.filter((each) => each.at >= view.from && each.at <= view.to);
  const looks = [...grouped(seen, (each) => `${each.shape} ${each.hue}`)].sort(
    ([a], [b]) => a.startsWith("dot") - b.startsWith("dot"),
  );
  const paths = looks.map(([look, marks]) => {
    const [shape, hue] = look.split(" ");
    return svg("path", {
      class: shape,
      d: marks.map((each) => SHAPES[shape](Number(placed(view, each.at).toFixed(1)))).join(""),
      style: { "--hue": `var(--${hue})` },
    });
  });
  return svg(
    "svg",
    { width: view.width, height: LANE_HEIGHT, "aria-hidden": "true" },
    svg("path", { class: "grid", d: lines }),
    bands(own, view),
    paths,
  );
}

function bands(own, view) {
  const shades = grouped(
    own.bands.filter((each) => each.to >= view.from && each.from <= view.to),
    (each) => Math.ceil(4 * (each.depth ?? 1)),
  );
  return [...shades].map(([shade, spans]) =>
    svg("path", {
      class: "band",
      d: spans.map((each) => bandPath(each, view)).join(""),
      style: { "--hue": `var(--${own.hue})`, opacity: 0.25 + 0.17 * shade },
    }),
  );
}

function bandPath(span, view) {
  const from = Math.max(-2, placed(view, span.from));
  const width = Math.max(1, Math.min(view.width + 2, placed(view, span.to)) - from);
  return `M${from.toFixed(1)} 4h${width.toFixed(1)}v12h-${width.toFixed(1)}z`;
}

/** What lies under the pointer: the nearest mark within reach, else the band. */
function found(own, view, x) {
  const at = view.from + (x / view.width) * (view.to - view.from);
  let best = null;
  for (const mark of own.marks) {
    const away = Math.abs(placed(view, mark.at) - x);
    if (away < 8 && (!best || away <= best.away)) best = { away, mark };
  }
  const band = best ? null : own.bands.find((each) => each.from <= at && at < each.to);
  return best ? best.mark.tip() : band ? band.tip(at) : null;
}

function timelineSection(timeline, hueOf, why) {
  if (!(timeline.events.length + timeline.bands.length + timeline.decisions.length))
    return section("timeline", `Customer ${timeline.customer}`, "Nothing has happened yet.");
  const view = viewOf(timeline);
  const groups = lanesOf(timeline, hueOf);
  const body = el("div", {
    class: "lanes",
    tabindex: "0",
    role: "group",
    "aria-label": "Timeline; arrow keys move, plus and minus zoom, 0 shows everything",
  });
  const range = el("span", { class: "range", role: "status" });
  const listed = list(timeline, view);
  const marked = why && why.customer === timeline.customer ? Date.parse(why.decision.time) : null;

  function draw() {
    view.width = Math.max(120, body.clientWidth - (body.clientWidth > 640 ? 230 : 0));
    const at = ticks(view);
    const lines = at.map(([tick]) => `M${placed(view, tick).toFixed(1)} 0v${LANE_HEIGHT}`).join("");
    body.replaceChildren(
      axis(at, view, marked),
      ...groups.flatMap(([name, lanes]) => [
        el("h3", {}, name),
        ...lanes.flatMap((each) => rows(each, view, lines, draw, 0)),
      ]),
    );
    range.textContent = `${times.day(view.from)} – ${times.day(view.to)}`;
    listed.refresh();
  }

  steer(body, view, draw);
  let width = 0;
  new ResizeObserver(() => body.clientWidth !== width && ((width = body.clientWidth), draw())).observe(body);
  return section(
    "timeline",
    `Customer ${timeline.customer}, one line at a time`,
    told(timeline),
    buttons(view, draw, range),
    timelineKey(),
    body,
    listed.node,
  );
}

const timelineKey = () =>
  el(
    "p",
    { class: "key" },
    [
      ["●", "sent, in its class's colour"],
      ["○", "held back"],
      ["×", "expired or ended"],
      ["❘", "event, or shown when a placement asked"],
      ["▬", "true meanwhile; the stronger, the more keys"],
    ].map(([sign, text]) => el("span", {}, el("i", { class: "sign", "aria-hidden": "true" }, sign), text)),
  );

function told(timeline) {
  const lines = timeline.decisions.filter((each) => each.kind !== "ask").flatMap((each) => each.lines);
  const sent = lines.filter((each) => each.reason === "won");
  const held = lines.filter((each) => !(each.reason in LOOK_OF)).length;
  const asks = timeline.decisions.filter((each) => each.kind === "ask").length;
  const campaigns = new Set(lines.map((each) => each.campaign)).size;
  const parts = [
    `${counted(timeline.events.length, "event")}, ${counted(sent.length, "contact")}: ${counted(campaigns, "campaign")} wanted this customer, and ${held ? `rules held them back ${counted(held, "time")}` : "nothing held them back"}.`,
    asks ? `Placements asked ${counted(asks, "time")}.` : null,
  ];
  return parts.filter(Boolean).join(" ");
}

function axis(at, view, marked) {
  const labels = at
    .filter(([tick]) => placed(view, tick) < view.width - 44)
    .map(([tick, text]) => svg("text", { x: placed(view, tick) + 3, y: 15 }, text));
  const lines = at.map(([tick]) => `M${placed(view, tick).toFixed(1)} 6v${LANE_HEIGHT}`).join("");
  const x = marked === null ? -1 : placed(view, marked);
  const flag =
    x >= 0 && x <= view.width
      ? el("span", { class: "flag", style: { left: `${x}px` }, title: "The decision explained below" })
      : null;
  const plot = el(
    "span",
    { class: "plot" },
    svg(
      "svg",
      { width: view.width, height: 22, "aria-hidden": "true" },
      svg("path", { class: "grid", d: lines }),
      labels,
    ),
    flag,
  );
  return el("div", { class: "lane axis" }, el("span", { class: "label" }), plot);
}

function rows(own, view, lines, draw, depth) {
  const plot = el("span", { class: "plot" }, drawn(own, view, lines));
  plot.addEventListener("pointermove", (event) => {
    const lines = event.buttons ? null : found(own, view, event.clientX - plot.getBoundingClientRect().left);
    lines ? tip.show(event, lines) : tip.hide();
  });
  plot.addEventListener("pointerleave", () => tip.hide());
  const texts = [
    el("span", { class: "name", title: own.name }, shortened(own.name, 26)),
    el("span", { class: "note", title: own.note }, own.note),
  ];
  const act = () => ((own.open = !own.open), draw());
  const label = own.children.length
    ? el("button", { type: "button", class: "label", "aria-expanded": String(own.open), on: { click: act } }, texts)
    : el("span", { class: "label" }, texts);
  const children = own.open
    ? own.children.slice(0, CHILDREN_MAX).flatMap((each) => rows(each, view, lines, draw, depth + 1))
    : [];
  const rest =
    own.open && own.children.length > CHILDREN_MAX
      ? [el("p", { class: "rest" }, `and ${count(own.children.length - CHILDREN_MAX)} more`)]
      : [];
  return [el("div", { class: "lane", style: { "--depth": depth } }, label, plot), ...children, ...rest];
}

function buttons(view, draw, range) {
  const button = (text, label, act) =>
    el("button", { type: "button", "aria-label": label, title: label, on: { click: () => (act(), draw()) } }, text);
  const centre = () => (view.from + view.to) / 2;
  const span = (days) => () => look(view, centre() - (days * DAY) / 2, centre() + (days * DAY) / 2);
  return el(
    "div",
    { class: "tools steer" },
    el(
      "span",
      { class: "buttons" },
      button("Everything", "Show everything", () => look(view, view.first, view.last)),
      button("3 months", "Show 3 months", span(91)),
      button("4 weeks", "Show 4 weeks", span(28)),
      button("1 week", "Show 1 week", span(7)),
    ),
    el(
      "span",
      { class: "buttons" },
      button("‹", "Earlier", () => move(view, -0.5)),
      button("›", "Later", () => move(view, 0.5)),
      button("+", "Zoom in", () => zoom(view, 0.5)),
      button("−", "Zoom out", () => zoom(view, 2)),
    ),
    range,
  );
}

function steer(body, view, draw) {
  const keys = {
    ArrowLeft: () => move(view, -0.2),
    ArrowRight: () => move(view, 0.2),
    "+": () => zoom(view, 0.5),
    "=": () => zoom(view, 0.5),
    "-": () => zoom(view, 2),
    0: () => look(view, view.first, view.last),
  };
  body.addEventListener("keydown", (event) => {
    if (event.target !== body || !keys[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
    draw();
  });
  const timeAt = (event) =>
    view.from +
    ((event.clientX - body.querySelector(".plot").getBoundingClientRect().left) / view.width) * (view.to - view.from);
  body.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(view, event.deltaY > 0 ? 1.25 : 0.8, timeAt(event));
      draw();
    },
    { passive: false },
  );
  body.addEventListener(
    "pointerdown",
    (event) =>
      event.button === 0 && event.pointerType === "mouse" && event.target.closest(".plot") && drag(event, view, draw),
  );
}

/** While the mouse is held, what lies under it stays under it. */
function drag(start, view, draw) {
  const { from, to } = view;
  const act = (event) => {
    const by = ((event.clientX - start.clientX) / view.width) * (to - from);
    look(view, from - by, to - by);
    draw();
  };
  start.preventDefault();
  addEventListener("pointermove", act);
  addEventListener("pointerup", () => removeEventListener("pointermove", act), { once: true });
}

/** All that is in view, as text: for those who read instead of look. */
function list(timeline, view) {
  const all = [
    ...timeline.events.map((each) => ({
      at: Date.parse(each.time),
      what: each.type,
      lines: () => eventTip(each).slice(2).join(" · "),
    })),
    ...timeline.decisions.flatMap((decision) =>
      decision.lines.map((line) => ({
        at: Date.parse(decision.time),
        what: line.campaign,
        lines: () => lineTip(decision, line).slice(0, 1).concat(lineTip(decision, line).slice(2)).join(" · "),
      })),
    ),
  ].sort((a, b) => a.at - b.at);
  const node = el("details", { class: "listed" }, el("summary", {}, "As a list"));
  const refresh = () => {
    if (!node.open) return;
    const seen = all.filter((each) => each.at >= view.from && each.at <= view.to);
    const items = seen
      .slice(0, LISTED_MAX)
      .map((each) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, times.minute(each.at)),
          el("td", { class: "text" }, each.what),
          el("td", { class: "text" }, each.lines()),
        ),
      );
    const rest =
      seen.length > LISTED_MAX
        ? el("p", {}, `The first ${count(LISTED_MAX)} of ${count(seen.length)}; look at less time to see the others.`)
        : null;
    node.replaceChildren(
      node.firstChild,
      el(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "All that is in view" },
        el("table", { class: "plain" }, el("tbody", {}, items)),
      ),
      ...(rest ? [rest] : []),
    );
  };
  node.addEventListener("toggle", refresh);
  return { node, refresh };
}
