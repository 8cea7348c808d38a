// Draws the panels from the reports in this file, for the chosen filters. It selects rows and writes
// them; every figure comes from the database.
"use strict";

const FILTERS = {repo: "repositories", model_tier: "tiers", pool_type: "pools"};
const DIMENSIONS = [...Object.keys(FILTERS), "task_type"];
const RANGES = {
  "1h": "the last hour", "24h": "the last 24 hours", "7d": "the last 7 days",
  "30d": "the last 30 days", "90d": "the last 90 days",
};
const HOUR = 3600e3;
const DAY = 24 * HOUR;

const element = (id) => document.getElementById(id);
const known = (value) => value !== null && value !== undefined;

// ---- writing figures ----------------------------------------------------------------------------

const grouped = new Intl.NumberFormat("en-US", {maximumFractionDigits: 0});

function time(milliseconds, withHour = true) {
  const text = new Date(milliseconds).toISOString();
  return withHour ? `${text.slice(0, 10)} ${text.slice(11, 16)}` : text.slice(0, 10);
}

function significant(value, digits = 3) {
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  const decimals = Math.min(Math.max(digits - 1 - magnitude, 0), 6);
  return value.toLocaleString("en-US", {maximumFractionDigits: decimals});
}

function bytes(value) {
  const sign = value < 0 ? "-" : "";
  let rest = Math.abs(value);
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (rest < 1000 || unit === "GB") return `${sign}${significant(rest)} ${unit}`;
    rest /= 1000;
  }
  return "";
}

function dollars(value) {
  const sign = value < 0 ? "-" : "";
  const size = Math.abs(value);
  if (size >= 0.995 || size === 0) {
    const decimals = size >= 1000 ? 0 : 2;
    const form = {minimumFractionDigits: decimals, maximumFractionDigits: decimals};
    return `${sign}$${size.toLocaleString("en-US", form)}`;
  }
  return `${sign}$${significant(size)}`;
}

const FORMS = {
  text: (value) => String(value),
  count: (value) => grouped.format(value),
  percent: (value) => `${(value * 100).toFixed(1)} %`,
  points: (value) => value.toFixed(1),
  number: (value) => significant(value),
  seconds: (value) => `${significant(value)} s`,
  megabytes: (value) => `${significant(value)} MB`,
  dollars,
  bytes,
  time: (value) => time(value),
  day: (value) => time(value, false),
};
const RIGHT = new Set(["count", "percent", "points", "number", "seconds", "megabytes", "dollars",
  "bytes"]);

function write(value, form) {
  if (known(value)) return FORMS[form](value);
  return RIGHT.has(form) ? "unknown" : "–";
}

// What a text is made of, without what would turn the rest of a line around or is no sign at all.
function visible(value) {
  if (typeof value !== "string") return value;
  return value.replace(/[\t\n\r]/g, " ")
    .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

// ---- reading the reports ------------------------------------------------------------------------

async function readReports() {
  const packed = Uint8Array.from(atob(element("data").textContent), (c) => c.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(unpacked).text());
}

// An index of a report's rows by what the filters choose, so that a choice is a look-up.
function indexed(report) {
  const rows = Object.values(report)[0].length;
  const keys = ["time_range", "repo_place", "model_tier_place", "pool_type_place"];
  const present = keys.filter((key) => key in report);
  const found = new Map();
  for (let row = 0; row < rows; row += 1) {
    const key = present.map((name) => report[name][row]).join("/");
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(row);
  }
  return {report, present, found};
}

function rowOf(report, row) {
  const made = {};
  for (const [name, values] of Object.entries(report)) made[name] = visible(values[row]);
  return made;
}

class Page {
  constructor({reports, panels, tiles}) {
    this.panels = panels;
    this.tiles = tiles;
    this.reports = Object.fromEntries(
      Object.entries(reports).map(([name, report]) => [name, indexed(report)]),
    );
    this.choices = {};
    for (const name of DIMENSIONS) this.choices[name] = [];
    const {column_name: columns, place, choice} = reports.choices;
    columns.forEach((name, row) => { this.choices[name][place[row]] = visible(choice[row]); });
    this.chosen = {time_range: "7d", repo: 0, model_tier: 0, pool_type: 0};
    this.drawn = new Map();
    this.dark = matchMedia("(prefers-color-scheme: dark)").matches;
  }

  nameOf(dimension, place) {
    if (place in this.choices[dimension]) return this.choices[dimension][place];
    return `(other ${{...FILTERS, task_type: "types"}[dimension]})`;
  }

  // The rows of a report for the chosen filters; of the dimension `each`, those of all its choices.
  rows(name, {each = "", chosen = this.chosen} = {}) {
    const {report, present, found} = this.reports[name];
    const every = each && chosen[each] === 0;
    const places = every ? Object.keys(this.placesOf(name, each)) : [null];
    const rows = [];
    for (const place of places) {
      const wanted = {...chosen, ...(every ? {[each]: place} : {})};
      const key = present.map((column) => wanted[column.replace("_place", "")]).join("/");
      for (const row of found.get(key) ?? []) rows.push(this.named(rowOf(report, row)));
    }
    return rows;
  }

  placesOf(name, dimension) {
    const places = {};
    for (const place of this.reports[name].report[`${dimension}_place`] ?? []) {
      if (place > 0) places[place] = true;
    }
    return places;
  }

  named(row) {
    for (const dimension of DIMENSIONS) {
      const place = row[`${dimension}_place`];
      if (place > 0) row[dimension] = this.nameOf(dimension, place);
    }
    if (known(row.bucket_start)) row.start = row.bucket_start;
    return row;
  }

  hasRange(panel) {
    return "time_range" in this.reports[panel.report].report;
  }

  get isFiltered() {
    return Object.keys(FILTERS).some((name) => this.chosen[name] !== 0);
  }

  // A bucket without executions has no row in the reports by choice: it is shown, with none.
  series(name, length, buckets) {
    const rows = new Map(this.rows(name).map((row) => [row.bucket_start, row]));
    const empty = {total_executions: 0, successful_count: 0};
    return buckets.map(({bucket_start: start, is_complete}) => this.timed(
      {start, is_complete, ...(rows.get(start) ?? empty)}, length,
    ));
  }

  // A bucket that still fills, or that begins before its range, is told apart wherever it is shown.
  timed(row, length) {
    const when = time(row.start, length < DAY);
    const part = row.is_complete === false ? " (part)" : "";
    return Object.assign(row, {end: row.start + length, when: `${when}${part}`});
  }

  rowsOf(panel) {
    if (panel.report === "series") {
      const buckets = this.rows("buckets");
      const length = buckets[0]?.bucket_length === "hour" ? HOUR : DAY;
      return this.series("series", length, buckets);
    }
    if (panel.report === "by_hour") {
      return this.series("by_hour", HOUR, this.rows("hours"));
    }
    if (panel.name === "repositories" && !this.isFiltered) return this.rows("repositories");
    const rows = this.rows(panel.report, {each: panel.each});
    for (const row of rows) {
      if (!known(row.start)) continue;
      this.timed(row, row.bucket_length === "hour" ? HOUR : DAY);
    }
    return rows;
  }

  // ---- drawing ----------------------------------------------------------------------------------

  async draw() {
    document.documentElement.dataset.theme = this.dark ? "dark" : "light";
    element("theme").textContent = this.dark ? "Light" : "Dark";
    element("theme").setAttribute("aria-pressed", String(this.dark));
    const turn = (this.turn = (this.turn ?? 0) + 1);
    document.body.removeAttribute("data-drawn");
    this.drawAge();
    this.tiles.forEach((tile) => this.drawTile(tile));
    for (const panel of this.panels) {
      if (turn !== this.turn) return; // a later choice draws everything anew
      await this.drawPanel(panel);
    }
    document.body.dataset.drawn = "yes";
  }

  drawAge() {
    const [age] = this.rows("age");
    const part = (label, value) => [`${label} `, strong(value)];
    const ago = (value) => (known(value) ? `${time(value)} (${distance(age.as_of - value)})` : "none");
    element("age").replaceChildren(
      ...part("As of", `${time(age.as_of)} UTC`),
      ...part(" · last execution", ago(age.last_execution_at)),
      ...part(" · last load", ago(age.last_loaded_at)),
      ...part(" · last build", ago(age.built_at)),
      ...part(" ·", `${grouped.format(age.total_executions)} executions`),
      ...(age.assigned_time_count ? [` · ${assignedTimes(age)}`] : []),
    );
    const notice = element("notice");
    const shown = this.rows("figures")[0];
    notice.hidden = Boolean(shown);
    if (!age.total_executions) {
      notice.replaceChildren(
        "There are no executions yet. Record some, or try ", code("orb sample"),
        "; then run ", code("orb load"), ", ", code("orb build"), " and ", code("orb report"), ".",
      );
    } else if (!shown) {
      notice.textContent = `Nothing was executed in ${RANGES[this.chosen.time_range]}`
        + `${this.isFiltered ? " with these choices" : ""}. Choose a longer time range`
        + `${this.isFiltered ? ", or All" : ""}.`;
    }
  }

  drawTile(tile) {
    const range = tile.time_range || this.chosen.time_range;
    const [row] = this.rows("figures", {chosen: {...this.chosen, time_range: range}});
    const value = row?.[tile.figure] ?? (tile.figure === "total_executions" ? 0 : null);
    const box = element(`tile-${tile.name}`);
    box.querySelector(".figure").textContent = known(value) ? FORMS[tile.form](value) : "–";
    const parts = [];
    const level = known(value) ? this.stateOf(tile.alert) : "";
    box.dataset.level = level;
    if (level) {
      const word = document.createElement("span");
      word.className = `level-${level}`;
      word.textContent = level;
      parts.push(word, " · ");
    }
    if (tile.figure === "success_rate" && known(value)) {
      parts.push(`${write(row.success_rate_lower, "percent")} to `
        + `${write(row.success_rate_upper, "percent")}, of ${grouped.format(row[tile.known])}`);
    } else if (tile.figure === "total_executions") {
      parts.push(known(row?.successful_count)
        ? `${grouped.format(row.successful_count)} succeeded` : "none");
    } else {
      parts.push(known(value) ? `over ${grouped.format(row[tile.known])} executions` : "unknown");
    }
    if (row && value && (row.has_enough_samples === false || row[tile.known] < this.leastSamples)) {
      parts.push(" · few samples");
    }
    if (!tile.time_range) parts.push(` · ${range}`);
    box.querySelector(".under").replaceChildren(...parts);
  }

  // Over fewer known executions, a mean, a cost or a percentile is over too few to act on.
  get leastSamples() {
    return this.rows("age")[0].least_samples;
  }

  // A figure as it is shown; a mean, a cost or a percentile with how many executions it is over.
  shown(row, {figure, form, known: over}) {
    const text = write(row[figure], form);
    if (!over || !known(row[figure])) return text;
    const few = row.has_enough_samples === false || row[over] < this.leastSamples;
    return `${text} of ${write(row[over], "count")}${few ? "?" : ""}`;
  }

  // An alert is over all executions, and says nothing of a choice of them.
  stateOf(alert) {
    const state = this.isFiltered ? "" : this.rows("alerts")
      .find((row) => row.alert_name === alert)?.state ?? "";
    return state === "unknown" ? "" : state;
  }

  // What a row's figure is by the thresholds of an alert; what is always so judges none.
  levelOf(row, {drawn, judgedBy}) {
    if (row.has_enough_samples === false) return "too few to judge";
    const isAlwaysSo = this.rows("alerts")
      .some((alert) => alert.alert_name === judgedBy && alert.state === "always so");
    const broken = isAlwaysSo || !known(row[drawn]) ? [] : this.thresholds()
      .filter(({alert_name: name, raised_when: when, height}) => name === judgedBy
        && (when === "under" ? row[drawn] < height : row[drawn] > height))
      .map(({severity}) => severity);
    return broken.includes("critical") ? "critical" : broken[0] ?? "ok";
  }

  // Thresholds as high as the figures are: rates are from 0 to 1.
  thresholds() {
    return this.rows("thresholds").map((row) => (
      {...row, height: row.unit === "percent" ? row.threshold / 100 : row.threshold}
    ));
  }

  async drawPanel(panel) {
    const box = element(`panel-${panel.name}`);
    const rows = this.rowsOf(panel);
    const isEmpty = !rows.some((row) => known(row[panel.drawn]))
      || (rows.length > 0 && "total_executions" in rows[0]
        && rows.every((row) => row.total_executions === 0));
    const someAreWhole = rows.some((row) => row.is_complete);
    for (const row of rows) {
      if (panel.judgedBy) row.level = this.levelOf(row, panel);
      row.is_drawn = !someAreWhole || row.is_complete !== false;
      for (const column of panel.columns) row[`${column.figure}_text`] = this.shown(row, column);
    }
    box.querySelector(".sentence").textContent = isEmpty ? ""
      : sentence(panel, rows, this) + cautions(panel, this);
    const empty = box.querySelector(".empty");
    empty.hidden = !isEmpty;
    empty.textContent = isEmpty ? hint(panel, this) : "";
    box.querySelector(".unfiltered").hidden = panel.isFiltered || !this.isFiltered;
    box.querySelector("details").hidden = isEmpty;
    fillTable(box.querySelector("table"), panel, isEmpty ? [] : rows);
    const place = box.querySelector(".chart");
    if (!place) return;
    this.drawn.get(panel.name)?.finalize();
    this.drawn.delete(panel.name);
    place.hidden = isEmpty;
    place.replaceChildren();
    if (isEmpty) return;
    const spec = {...panel.chart, datasets: {...panel.chart.datasets, rows, thresholds: this.thresholds()}};
    if (spec.height.step) { // of a bar or a row of cells; the width is the panel's
      const names = new Set(rows.map((row) => row[panel.columns[0].figure]));
      spec.height = spec.height.step * names.size;
    }
    this.drawn.set(panel.name, await vegaEmbed(place, spec, {
      logLevel: 1, // errors
      ast: true, // Vega's interpreter: the page forbids eval
      actions: false,
      defaultStyle: false,
      renderer: "canvas",
      tooltip: {disableDefaultStyle: true},
      config: look(this.dark),
    }));
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", box.querySelector(".sentence").textContent);
  }
}

function strong(text) {
  const made = document.createElement("strong");
  made.textContent = text;
  return made;
}

function code(text) {
  const made = document.createElement("code");
  made.textContent = text;
  return made;
}

function distance(milliseconds) {
  const minutes = Math.round(milliseconds / 60e3);
  if (minutes < 1) return "just now";
  if (minutes < 90) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h ago`;
  return `${Math.round(minutes / 60 / 24)} days ago`;
}

function fillTable(table, panel, rows) {
  const cell = (tag, text, form) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (RIGHT.has(form)) made.className = "number";
    else if (text.length > 40) made.className = "long";
    if (tag === "th") made.scope = "col";
    return made;
  };
  const head = document.createElement("tr");
  head.append(...panel.columns.map(({title, form}) => cell("th", title, form)));
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...rows.map((row) => {
    const line = document.createElement("tr");
    line.append(...panel.columns.map(
      ({figure, form}) => cell("td", row[`${figure}_text`], form),
    ));
    return line;
  }));
}

// ---- sentences ----------------------------------------------------------------------------------

// A part of a bucket is neither the lowest nor the highest, and few samples are no rate or average.
function extremes(rows, {figure, form, known: over}, least) {
  const isSum = form === "count" || form === "bytes" || figure === "total_cost";
  const having = rows.filter((row) => known(row[figure]) && row.is_complete !== false
    && (isSum || (row.has_enough_samples !== false && !(over && row[over] < least))));
  having.sort((a, b) => b[figure] - a[figure]);
  return [having[0], having[having.length - 1], having.length];
}

// What a panel shows, in a sentence: its highest and its lowest row, by its first figure.
function sentence(panel, rows, page) {
  const label = panel.columns.filter((column) => column.form === "text" && column.figure !== "message");
  const nameOf = (row) => label.slice(0, 2).filter(({figure}) => known(row[figure]) && figure !== "status")
    .map(({figure}) => row[figure]).join(", ");
  if (panel.name === "alerts") {
    const raised = rows.filter((row) => row.is_raised);
    const usual = rows.filter((row) => row.state === "always so");
    return raised.length
      ? `${raised.length} raised: ${raised.map((row) => row.message).join("; ")}`
      : `None of ${rows.length} alerts is raised.`
        + `${usual.length ? ` Always so: ${usual.map((row) => row.message).join("; ")}` : ""}`;
  }
  if (panel.name === "checks") {
    const failing = rows.filter((row) => row.status === "warning");
    return failing.length
      ? `${failing.length} of ${rows.length} checks find something; most rows: ${failing[0].check_name}, `
        + `${failing[0].failing_count_text}.`
      : `None of the ${rows.length} checks finds anything.`;
  }
  if (panel.name === "maintenance") {
    const last = rows.find((row) => row.step === "run") ?? rows[0];
    return `The last run of orb maintain, at ${last.started_at_text} UTC: ${last.outcome}.`;
  }
  if (panel.name === "record_funnel") {
    const count = (stage) => rows.find((row) => row.stage === stage)?.record_count ?? 0;
    const lost = rows.filter((row) => row.kind === "lost" && row.record_count > 0)
      .sort((one, other) => other.record_count - one.record_count)[0];
    return `${write(count("executions"), "count")} executions of ${write(count("recorded"), "count")} records`
      + `${lost ? `; most were lost as ${nameOf(lost).split(",")[0]}: ${lost.record_count_text}` : ""}`
      + `${count("waiting_for_build") ? `; ${write(count("waiting_for_build"), "count")} wait for a build` : ""}.`;
  }
  if (panel.name === "retention") {
    const came = rows.find((row) => row.part === "came");
    return `${write(came?.version_count, "count")} versions ever came; live, archived and forgotten `
      + `${came?.is_complete ? "add up to them" : "do NOT add up to them"}.`;
  }
  if (panel.name === "feedback_retention") {
    const came = rows.find((row) => row.part === "came");
    return `${write(came?.feedback_count, "count")} ever came; live, archived and gone `
      + `${came?.is_complete ? "add up to them" : "do NOT add up to them"}.`;
  }
  if (panel.name === "storage_now") {
    const database = rows.find((row) => row.place === "database");
    return database ? `The database has ${database.size_bytes_text}: ${database.alert}.` : "";
  }
  if (known(rows[0].sentence)) return rows[0].sentence; // written where the figures come from
  const figure = panel.drawn;
  const column = panel.columns.find((one) => one.figure === figure);
  const {title} = column;
  const over = page.hasRange(panel) ? ` in ${RANGES[page.chosen.time_range]}` : "";
  const [most, least, count] = extremes(rows, column, page.leastSamples);
  if (count === 0) {
    return `${capital(title)}${over}: nothing that is complete and over enough executions to name.`;
  }
  const one = (row) => `${nameOf(row)} (${row[`${figure}_text`]})`;
  if (count === 1) return `${capital(title)}${over}: ${one(most)}.`;
  if (most[figure] === least[figure]) return `${capital(title)}${over}: ${most[`${figure}_text`]} throughout.`;
  return `${capital(title)}${over}: highest ${one(most)}, lowest ${one(least)}.`;
}

// What is to be said beside what a panel shows: of times that nobody recorded, and of unlike work.
function cautions(panel, page) {
  const [age] = page.rows("age");
  const isOverTime = panel.columns.some(({figure}) => figure === "when");
  const compared = {success_by_pool: "pool", repositories: "repository"}[panel.name];
  const pairs = page.rows("like_for_like").filter(({dimension}) => dimension === compared);
  return [
    isOverTime && age.assigned_time_count ? ` ${assignedTimes(age)}` : "",
    pairs.length ? " Their tiers and task types differ: see like for like." : "",
  ].join("");
}

function assignedTimes(age) {
  return `The times of ${grouped.format(age.assigned_time_count)} of `
    + `${grouped.format(age.total_executions)} executions were assigned, not recorded.`;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function hint(panel, page) {
  const hints = {
    storage: "Nothing was measured yet: orb load and orb maintain measure the size.",
    storage_now: "Nothing was measured yet: orb load and orb maintain measure the size.",
    maintenance: "orb maintain has not run yet. It loads, builds, archives, backs up and prunes.",
    ratings: "Nobody has rated an execution in this time. orb feedback submit does.",
    feedback: "Nobody has given feedback in this time, or all of it is private. orb feedback submit "
      + "gives some.",
    ...Object.fromEntries(["policy_values", "routing_recommendations", "routing_coverage"].map((name) => (
      [name, "No routing decision is known yet. Let a Router draw, or record the chances that yours "
        + "draws by: docs/learning.md says how."]
    ))),
    errors: "No failures in this time.",
    like_for_like: "No two pools or repositories of this time differ in their tiers and task types.",
    patterns: "No solution was used often in one repository in the last 90 days. They come with "
      + "executions that have a solution_summary.",
  };
  if (hints[panel.name]) return hints[panel.name];
  const record = "record executions that have these values";
  if (!page.hasRange(panel)) return `Nothing is known of this: ${record}.`;
  return `Nothing is known of this in ${RANGES[page.chosen.time_range]}: choose a longer time range, `
    + `or ${panel.isFiltered && page.isFiltered ? "All" : record}.`;
}

// ---- look ---------------------------------------------------------------------------------------

function look(dark) {
  const text = dark ? "#c3ccd6" : "#4a5665";
  const line = dark ? "#303946" : "#e4e8ed";
  const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif";
  return {
    background: "transparent",
    font,
    view: {stroke: null},
    axis: {
      labelColor: text, titleColor: text, gridColor: line, domainColor: line, tickColor: line,
      labelFontSize: 11, titleFontSize: 11, titleFontWeight: "normal", labelPadding: 5,
    },
    legend: {
      labelColor: text, titleColor: text, labelFontSize: 11, symbolType: "square", offset: 6,
      columnPadding: 14,
    },
  };
}

// ---- start --------------------------------------------------------------------------------------

async function start() {
  const page = new Page(await readReports());
  for (const [name, plural] of Object.entries(FILTERS)) {
    const options = [new Option(`All ${plural}`, "0")];
    for (const place of Object.keys(page.placesOf("figures", name))) {
      options.push(new Option(page.nameOf(name, Number(place)), place));
    }
    element(name).replaceChildren(...options);
    element(name).addEventListener("change", (event) => {
      page.chosen[name] = Number(event.target.value);
      page.draw();
    });
  }
  for (const radio of document.querySelectorAll("[name=time_range]")) {
    radio.addEventListener("change", () => {
      page.chosen.time_range = radio.value;
      page.draw();
    });
    if (radio.checked) page.chosen.time_range = radio.value;
  }
  element("reset").addEventListener("click", () => {
    for (const name of Object.keys(FILTERS)) {
      page.chosen[name] = 0;
      element(name).value = "0";
    }
    page.draw();
  });
  element("theme").addEventListener("click", () => {
    page.dark = !page.dark;
    page.draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    page.dark = event.matches;
    page.draw();
  });
  await page.draw();
}

start().catch((error) => {
  const notice = element("notice");
  notice.hidden = false;
  notice.textContent = `This page could not be drawn: ${error.message}. It needs a browser of 2023 `
    + "or later.";
  throw error;
});
