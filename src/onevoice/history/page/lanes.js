// A customer's history as lanes: what is in each, before anything is drawn.
"use strict";

/**
 * A lane: `name`, `note`, `marks` ({at, shape, hue, tip}), `bands` ({from, to, tip}), `children` lanes that one can open.
 * `tip` is a function that returns lines, so that none is written before it is asked for.
 */
function lane(name, note, content) {
  return { name, note, marks: [], bands: [], children: [], open: false, ...content };
}

function lanesOf(timeline, hueOf) {
  const groups = [
    ["What was decided", [...campaignLanes(timeline, hueOf), ...placementLanes(timeline)]],
    ["What happened", [...changeLanes(timeline), ...eventLanes(timeline)]],
    ["What was true meanwhile", [...bandLanes(timeline, "segment"), ...bandLanes(timeline, "fact")]],
  ];
  return groups.filter(([, lanes]) => lanes.length);
}

function grouped(rows, keyOf) {
  const found = new Map();
  for (const row of rows) {
    const name = keyOf(row);
    if (!found.has(name)) found.set(name, []);
    found.get(name).push(row);
  }
  return found;
}

function campaignLanes(timeline, hueOf) {
  const lines = timeline.decisions
    .filter((each) => each.kind !== "ask")
    .flatMap((decision) => decision.lines.map((line) => ({ decision, line })));
  const lanes = [...grouped(lines, ({ line }) => line.campaign)].map(([name, own]) =>
    campaignLane(name, own, hueOf(name)),
  );
  lanes.sort((a, b) => b.sent - a.sent || a.marks[0].at - b.marks[0].at);
  const silent = lanes.filter((each) => !each.sent);
  if (silent.length < 3) return lanes;
  const marks = silent.flatMap((each) => each.marks);
  return [
    ...lanes.filter((each) => each.sent),
    lane(`${count(silent.length)} that never went out`, "", { marks, children: silent }),
  ];
}

function campaignLane(name, own, hue) {
  const marks = own.map(({ decision, line }) => ({
    at: Date.parse(decision.time),
    ...LOOKS[LOOK_OF[line.reason] ?? "held"],
    hue: line.reason === "won" ? hue : "muted",
    tip: () => lineTip(decision, line),
  }));
  const sent = own.filter(({ line }) => line.reason === "won").length;
  return lane(name, sent ? `${count(sent)} sent` : "", { marks, sent });
}

const LOOKS = { won: { shape: "dot" }, held: { shape: "ring" }, over: { shape: "cross" } };
const OVER = ["expired", "ended", "not_eligible", "too_many", "stopped", "would_have_won"];
const LOOK_OF = { won: "won", ...Object.fromEntries(OVER.map((reason) => [reason, "over"])) };

function lineTip(decision, line) {
  const stands = { gap: "last contact", again_after: "last contact", cap: "used", no_capacity: "used", kept_for: "kept for", outranked: "gave way to" }[
    line.reason
  ];
  const value = typeof line.value === "string" && stands === "last contact" ? times.minute(line.value) : line.value;
  return [
    `${line.campaign}: ${line.reason === "won" ? `goes out by ${line.channel}` : reasonName(line.reason).toLowerCase()}`,
    times.minute(decision.time),
    line.rule || null,
    stands && value !== null ? `${stands} ${value}${line.limit === null ? "" : ` of ${line.limit}`}` : null,
    line.until ? `until ${times.minute(line.until)}` : null,
    line.score === null ? null : `rank ${RANK.format(line.score)}`,
  ].filter(Boolean);
}

function placementLanes(timeline) {
  const asks = timeline.decisions.filter((each) => each.kind === "ask");
  return [...grouped(asks, (each) => each.placement)].map(([place, own]) => {
    const lines = own.flatMap((decision) => decision.lines.map((line) => ({ decision, line })));
    const children = [...grouped(lines, ({ line }) => line.campaign)].map(([name, wanted]) => shownLane(name, wanted));
    children.sort((a, b) => b.shown - a.shown);
    const marks = own.map((decision) => ({
      at: Date.parse(decision.time),
      shape: "tick",
      hue: "hue-3",
      tip: () => askTip(decision),
    }));
    return lane(place, counted(own.length, "ask"), { marks, children });
  });
}

function shownLane(name, wanted) {
  const marks = wanted.map(({ decision, line }) => ({
    at: Date.parse(decision.time),
    shape: line.reason === "won" ? "tick" : "short",
    hue: line.reason === "won" ? "hue-3" : "muted",
    tip: () => askTip(decision),
  }));
  const shown = wanted.filter(({ line }) => line.reason === "won").length;
  return lane(name, `${count(shown)} shown`, { marks, shown });
}

function askTip(decision) {
  const won = decision.lines.filter((line) => line.reason === "won").map((line) => line.campaign);
  const others = decision.lines
    .filter((line) => line.reason !== "won")
    .map((line) => `${line.campaign}: ${reasonName(line.reason).toLowerCase()}`);
  return [
    `${decision.placement} shows ${joined([...won, ...(decision.default ? [decision.default] : [])]) || "nothing"}`,
    times.minute(decision.time),
    ...others,
  ];
}

/** Between which decisions the playbook changed: the mark stands at the first that was made under another one. */
function changeLanes(timeline) {
  const marks = timeline.changes.map((each) => ({
    at: Date.parse(each.time),
    shape: "tick",
    hue: "hue-2",
    tip: () => ["playbook changed", `before this decision, ${times.minute(each.time)}`],
  }));
  return marks.length ? [lane("playbook changed", count(marks.length), { marks })] : [];
}

function eventLanes(timeline) {
  const lanes = [...grouped(timeline.events, (each) => each.type)].map(([type, own]) => {
    const marks = own.map((event) => ({
      at: Date.parse(event.time),
      shape: "tick",
      hue: "ink",
      tip: () => eventTip(event),
    }));
    return lane(type, count(own.length), { marks });
  });
  return lanes.sort((a, b) => b.marks.length - a.marks.length);
}

function eventTip(event) {
  const fields = Object.entries({ ...event.fields, ...event.traits }).slice(0, 8);
  const place = [event.source && `from ${event.source}`, event.channel && `by ${event.channel}`]
    .filter(Boolean)
    .join(", ");
  return [
    event.type,
    times.minute(event.time),
    place || null,
    ...fields.map(([name, value]) => `${name}: ${brief(value)}`),
  ].filter(Boolean);
}

function brief(value) {
  if (Array.isArray(value)) return value.length === 1 ? "1 entry" : `${count(value.length)} entries`;
  const text = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Facts or segments by name. A fact with several keys is one lane, which shows where any of them holds, and how many. */
function bandLanes(timeline, kind) {
  const end = Date.parse(timeline.now);
  const own = timeline.bands.filter((each) => each.kind === kind);
  const lanes = [...grouped(own, (each) => each.name)].map(([name, bands]) => {
    const spans = bands.map((each) => ({
      key: each.key,
      from: Date.parse(each.since),
      to: each.until === null ? end : Math.min(end, Date.parse(each.until)),
      open: each.until === null,
    }));
    return bandLane(name, kind, spans);
  });
  return lanes.sort((a, b) => a.bands[0].from - b.bands[0].from);
}

function bandLane(name, kind, spans) {
  const hue = kind === "segment" ? "hue-7" : "hue-8";
  const keys = grouped(spans, (each) => each.key);
  if (keys.size < 2)
    return lane(name, spans[0].key && spans[0].key, {
      hue,
      bands: spans.map((each) => ({ ...each, tip: () => bandTip(name, each) })),
    });
  const children = [...keys].map(([key, own]) =>
    lane(key, own.length > 1 ? `${own.length} times` : "", {
      hue,
      bands: own.map((each) => ({ ...each, tip: () => bandTip(`${name} ${key}`, each) })),
    }),
  );
  children.sort((a, b) => b.bands.length - a.bands.length || a.bands[0].from - b.bands[0].from);
  return lane(name, `${count(keys.size)} keys`, { hue, bands: levels(name, spans), children });
}

function bandTip(name, span) {
  return [name, `from ${times.minute(span.from)}`, span.open ? "still true" : `until ${times.minute(span.to)}`];
}

/** Overlapping spans as one run of bands, each with how many keys hold there, as `depth` of the greatest. */
function levels(name, spans) {
  const steps = spans
    .filter((each) => each.to > each.from)
    .flatMap((each) => [
      [each.from, 1],
      [each.to, -1],
    ])
    .sort((a, b) => a[0] - b[0]);
  const found = [];
  let open = 0;
  steps.forEach(([at, step], index) => {
    open += step;
    const to = steps[index + 1]?.[0];
    if (open && to > at) found.push({ from: at, to, open });
  });
  const most = Math.max(...found.map((each) => each.open));
  return found.map((each) => ({
    from: each.from,
    to: each.to,
    depth: each.open / most,
    tip: (at) => levelTip(name, spans, at),
  }));
}

function levelTip(name, spans, at) {
  const held = spans.filter((each) => each.from <= at && at < each.to);
  const keys = held.slice(0, 6).map((each) => each.key);
  return [
    `${name}: ${counted(held.length, "key")}`,
    times.minute(at),
    keys.join(", ") + (held.length > 6 ? ` and ${count(held.length - 6)} more` : ""),
  ];
}
