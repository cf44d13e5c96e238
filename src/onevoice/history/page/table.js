// A table that can be sorted by each column, searched, and shown in part.
"use strict";

/**
 * `columns`: {title, value (what is compared), cell (what is shown; the value if none), text, hint, wide}, the first names the
 * row. `search`: what of a row is searched, none without it. `most`: how many rows are shown before one asks for all.
 */
function table({ caption, columns, rows, search, most = 12, sorted = 1, up = false }) {
  const view = { column: sorted, up, words: "", all: rows.length <= most + 3 };
  const body = el("tbody");
  const heads = columns.map((column, index) => head(column, () => turn(index)));
  const more = el("button", { type: "button", class: "more", on: { click: () => draw((view.all = !view.all)) } });
  const told = el("span", { class: "found", role: "status" });

  function turn(index) {
    view.up = view.column === index ? !view.up : Boolean(columns[index].text);
    view.column = index;
    draw();
  }

  function draw() {
    const found = ordered(
      search ? rows.filter((row) => search(row).toLowerCase().includes(view.words)) : rows,
      columns[view.column].value,
      view.up,
    );
    const shown = view.all ? found : found.slice(0, most);
    body.replaceChildren(...shown.map((row) => line(columns, row)));
    if (!found.length) body.append(el("tr", {}, el("td", { colspan: columns.length }, "None.")));
    heads.forEach((node, index) =>
      node.setAttribute("aria-sort", index === view.column ? (view.up ? "ascending" : "descending") : "none"),
    );
    more.hidden = rows.length <= most + 3 || found.length <= most;
    more.textContent = view.all ? `Show the first ${most}` : `Show all ${count(found.length)}`;
    told.textContent = view.words ? `${count(found.length)} of ${count(rows.length)}` : "";
  }

  draw();
  const longest = Math.max(0, ...rows.map((row) => String(columns[0].value(row)).length));
  const field = search && rows.length > most && searchField(caption, (words) => draw((view.words = words)));
  return el(
    "div",
    { class: "table" },
    field && el("div", { class: "tools" }, field, told),
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      el(
        "table",
        { style: { "--longest": `${Math.min(30, longest + 3)}ch` } },
        el("caption", { class: "unseen" }, caption),
        el("thead", {}, el("tr", {}, heads)),
        body,
      ),
    ),
    more,
  );
}

function head(column, act) {
  return el(
    "th",
    { scope: "col", class: column.text ? "text" : "number", title: column.hint },
    el("button", { type: "button", on: { click: act } }, column.title),
  );
}

function line(columns, row) {
  return el(
    "tr",
    {},
    columns.map((column, index) => {
      const shown = (column.cell ?? column.value)(row);
      const content = typeof shown === "number" ? count(shown) : shown;
      return index
        ? el("td", { class: `${column.text ? "text" : "number"} ${column.wide ?? ""}` }, content)
        : el("th", { scope: "row" }, content);
    }),
  );
}

function ordered(rows, value, up) {
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b);
  return [...rows].sort((a, b) => (up ? 1 : -1) * compare(value(a), value(b)));
}

function searchField(caption, act) {
  const input = el("input", { type: "search", placeholder: "Search", "aria-label": `Search: ${caption}` });
  input.addEventListener("input", () => act(input.value.trim().toLowerCase()));
  return input;
}

/** Parts of a whole as a bar, `parts` being [amount, hue, what it is]; `most` is the amount that fills the bar. */
function bar(parts, most) {
  const told = parts
    .filter(([amount]) => amount)
    .map(([amount, , name]) => `${name} ${count(amount)}`)
    .join(", ");
  const pieces = parts.map(
    ([amount, hue]) =>
      amount > 0 && el("i", { style: { width: `${(100 * amount) / most}%`, background: `var(--${hue})` } }),
  );
  return el("span", { class: "bar", title: told, role: "img", "aria-label": told || "none" }, pieces);
}

const key = (...pairs) =>
  el(
    "p",
    { class: "key" },
    pairs.map(([hue, name]) => el("span", {}, swatch(hue), name)),
  );
