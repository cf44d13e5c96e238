// Elements, numbers, times, colours, the tooltip: what all parts of the page are made with.
"use strict";

/** One element. Texts go in as text nodes and never as HTML, so that a name can hold any characters. */
function el(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (name === "style") for (const [key, text] of Object.entries(value)) node.style.setProperty(key, text);
    else if (value !== null && value !== undefined && value !== false)
      node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const RANK = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const count = (value) => NUMBER.format(value);
const counted = (value, word, words = `${word}s`) => `${count(value)} ${value === 1 ? word : words}`;
const sum = (rows, key) => rows.reduce((total, row) => total + row[key], 0);
const joined = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** A share in percent; what is above nothing is never shown as 0%, what is below all never as 100%. */
function share(part, whole) {
  if (!whole) return "–";
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 1) return percent < 0.1 ? "<0.1%" : `${percent.toFixed(1)}%`;
  if (part < whole && percent > 99) return percent > 99.9 ? ">99.9%" : `${percent.toFixed(1)}%`;
  return `${Math.round(percent)}%`;
}

/** How times are written: always in the playbook's zone, wherever the reader is. */
const times = {
  use(zone) {
    const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
    this.minutes = format({
      weekday: "short",
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
    });
    this.days = format({ day: "numeric", month: "short", year: "numeric" });
    this.months = format({ month: "short" });
    this.clock = format({ hour: "2-digit", minute: "2-digit" });
    this.parts = format({
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      hourCycle: "h23",
    });
  },
  minute: (value) => times.minutes.format(new Date(value)).replaceAll(",", ""),
  day: (value) => times.days.format(new Date(value)),
  /** A calendar date that has no time, such as a week's Monday. */
  date: (text, options = { day: "numeric", month: "short", year: "numeric" }) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options }).format(new Date(`${text}T00:00:00Z`)),
  /** The zone's clock at an instant, as milliseconds of a clock without zone. */
  local(value) {
    const part = Object.fromEntries(
      times.parts.formatToParts(new Date(value)).map((each) => [each.type, Number(each.value)]),
    );
    return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
  },
  /** The instant at which the zone's clock shows `local`; asked twice, for the first guess may lie across a change. */
  instant(local) {
    const guess = local - (times.local(local) - local);
    return local - (times.local(guess) - guess);
  },
};

/** The colour that a CSS variable has now, for what draws without CSS. */
function colour(name) {
  const probe = el("span", { style: { color: `var(--${name})`, display: "none" } });
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const HUES = ["hue-1", "hue-2", "hue-3", "hue-4", "hue-5", "hue-6", "hue-7", "hue-8"];
const OTHERS = "hue-other";

/** A hue for each name, in the order given; what comes after the last hue shares one. */
const hues = (names) => new Map(names.map((name, index) => [name, HUES[index] ?? OTHERS]));

/** What became of a wish: in quieter colours than the hues, which are for names. */
const DONE = "done";
const LOST = "lost";

const swatch = (hue) => el("i", { class: "swatch", "aria-hidden": "true", style: { background: `var(--${hue})` } });

const tip = {
  node: null,
  show(event, lines) {
    this.node ??= document.body.appendChild(el("div", { class: "tip", role: "status" }));
    this.node.replaceChildren(...lines.map((line, index) => el(index ? "div" : "strong", {}, line)));
    this.node.hidden = false;
    const room = document.documentElement.clientWidth - this.node.offsetWidth - 8;
    const below = event.clientY + 18 + this.node.offsetHeight < innerHeight;
    this.node.style.left = `${Math.max(8, Math.min(event.clientX + 12, room))}px`;
    this.node.style.top = `${below ? event.clientY + 18 : event.clientY - this.node.offsetHeight - 10}px`;
  },
  hide() {
    if (this.node) this.node.hidden = true;
  },
};

/** One choice of several, as radio buttons in a row. */
function choice(legend, name, options, chosen, act) {
  const radios = Object.entries(options).map(([value, text]) =>
    el(
      "label",
      {},
      el("input", { type: "radio", name, value, checked: value === chosen, on: { change: () => act(value) } }),
      el("span", {}, text),
    ),
  );
  return el("fieldset", { class: "choice" }, el("legend", {}, legend), radios);
}

/** A section of the page: its heading, what one sees and what follows from it, and the rest. */
function section(id, heading, sentence, ...rest) {
  return el(
    "section",
    { id, "aria-labelledby": `${id}-heading` },
    el("h2", { id: `${id}-heading` }, named(heading)),
    el("p", { class: "lead" }, named(sentence)),
    rest,
  );
}

const nothing = (sentence) => el("p", { class: "nothing" }, sentence);
/** A text in which long names may break after an underscore or a point, for they have no spaces. */
function named(text) {
  const broken = (word) => word.split(/(?<=[_.])/).flatMap((part, index) => (index ? [el("wbr"), part] : [part]));
  return String(text)
    .split(/(\S{17,})/)
    .flatMap((piece, index) => (index % 2 ? broken(piece) : [piece]));
}

/** A long name without its middle, for long names often differ at their end. */
const shortened = (name, most) =>
  name.length > most ? `${name.slice(0, Math.floor(most / 3))}…${name.slice(-Math.ceil((2 * most) / 3))}` : name;

const code = (text) => el("code", {}, text);
