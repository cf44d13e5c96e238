// One decision from its candidates to its winner: which gate stopped whom.
"use strict";

// The gates in the order in which a candidate meets them, each with the reasons by which it stops one.
const GATES = [
  ["still wanted", ["expired", "ended", "not_eligible", "too_many"]],
  ["is on", ["stopped", "paused"]],
  ["its sources are heard", ["stale"]],
  ["may be reached", ["no_consent", "no_address"]],
  ["nothing suppresses it", ["suppressed"]],
  ["not again too soon", ["again_after"]],
  ["room in the resources", ["no_capacity"]],
  ["within the hours", ["hours"]],
  ["long enough after the last", ["gap"]],
  ["room in the caps", ["cap"]],
  ["nothing better is planned", ["kept_for"]],
  ["ranks first", ["outranked"]],
  ["not held out", ["would_have_won"]],
];

function whySection(why) {
  const at = el(
    "p",
    { class: "when" },
    `Decision ${count(why.decision.number)} · customer ${why.customer} · ${why.time}`,
  );
  const list = el("ol", { class: "told" }, why.told.map(toldRow));
  const lead = `${/^nothing/.test(why.headline) ? capital(why.headline) : why.headline}. Each candidate passes the gates in this order, and the first that stops it is its one reason.`;
  return section(
    "why",
    "One decision, from candidates to winner",
    lead,
    at,
    gateNames(),
    why.told.length ? list : nothing("There was no candidate."),
  );
}

const gateNames = () =>
  el(
    "ol",
    { class: "gates", "aria-label": "The gates" },
    GATES.map(([name]) => el("li", {}, name)),
  );

function toldRow(told) {
  const won = told.reason === "won";
  const stop = GATES.findIndex(([, reasons]) => reasons.includes(told.reason));
  const dots = GATES.map(([name], index) => {
    const state = won || index < stop ? "passed" : index === stop ? "stopped" : "unseen-gate";
    return el("i", { class: state, title: name });
  });
  const passed = won ? "passes all gates" : stop < 0 ? told.reason : `stopped at gate ${stop + 1}, ${GATES[stop][0]}`;
  return el(
    "li",
    { class: won ? "won" : "lost" },
    el(
      "div",
      { class: "who" },
      el("b", {}, named(told.campaign)),
      told.klass ? el("span", {}, `class ${told.klass}`) : null,
    ),
    el("span", { class: "track", role: "img", "aria-label": passed }, dots),
    el(
      "div",
      { class: "rank" },
      told.score === null
        ? el("span", { class: "muted" }, "not ranked")
        : [el("span", { class: "muted" }, "rank "), RANK.format(told.score)],
    ),
    el("div", { class: "said" }, named(told.sentence), told.rule ? [" ", code(told.rule)] : null),
  );
}
