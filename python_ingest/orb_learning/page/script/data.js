// ---- reading the reports ------------------------------------------------------------------------

const FILTERS = {repo: "repositories", model_tier: "tiers", pool_type: "pools"};
const DIMENSIONS = [...Object.keys(FILTERS), "task_type"];
const RANGES = {
  "1h": "the last hour", "24h": "the last 24 hours", "7d": "the last 7 days",
  "30d": "the last 30 days", "90d": "the last 90 days",
};
const LENGTHS = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY};

async function readContent() {
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
  constructor({sections, tiles}) {
    this.sections = sections;
    this.tiles = tiles;
    this.chosen = {time_range: "7d", repo: 0, model_tier: 0, pool_type: 0};
    this.charts = new Map();
    this.theme = ""; // as the reader's system has it
  }

  load(reports) {
    this.reports = Object.fromEntries(
      Object.entries(reports).map(([name, report]) => [name, indexed(report)]),
    );
    this.choices = {};
    for (const name of DIMENSIONS) this.choices[name] = [];
    const {column_name: columns, place, choice} = reports.choices;
    columns.forEach((name, row) => { this.choices[name][place[row]] = visible(choice[row]); });
    [this.age] = this.all("age");
    this.alerts = this.all("alerts");
    this.executions = this.all("executions").map((row) => this.named(row));
  }

  get dark() {
    return this.theme ? this.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  nameOf(dimension, place) {
    if (place in this.choices[dimension]) return this.choices[dimension][place];
    return `(other ${{...FILTERS, task_type: "types"}[dimension]})`;
  }

  // All rows of a report, whatever is chosen.
  all(name) {
    const {report} = this.reports[name];
    return Object.values(report)[0].map((_, row) => rowOf(report, row));
  }

  // The rows of a report for the chosen filters; of the dimension `each`, those of all its choices.
  rows(name, {each = "", chosen = this.chosen} = {}) {
    const {report, present, found} = this.reports[name];
    const every = each && chosen[each] === 0;
    const places = every ? this.placesOf(name, each) : [null];
    const rows = [];
    for (const place of places) {
      const wanted = {...chosen, ...(every ? {[each]: place} : {})};
      const key = present.map((column) => wanted[column.replace("_place", "")]).join("/");
      for (const row of found.get(key) ?? []) rows.push(this.named(rowOf(report, row)));
    }
    return rows;
  }

  placesOf(name, dimension) {
    const places = new Set(this.reports[name].report[`${dimension}_place`] ?? []);
    return [...places].filter((place) => place > 0).sort((one, other) => one - other);
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
    return "time_range" in this.reports[panel.report].report || panel.report === "executions";
  }

  get isFiltered() {
    return Object.keys(FILTERS).some((name) => this.chosen[name] !== 0);
  }

  // Over fewer known executions, a mean, a cost or a percentile is over too few to act on.
  get leastSamples() {
    return this.age.least_samples;
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
    const at = `${length < DAY ? "at" : "on"} ${when}`;
    return Object.assign(row, {end: row.start + length, when: `${when}${part}`, at});
  }

  inRange() {
    const buckets = this.rows("buckets");
    const length = buckets[0]?.bucket_length === "hour" ? HOUR : DAY;
    return this.series("series", length, buckets);
  }

  rowsOf(panel) {
    if (panel.report === "series") return this.inRange();
    if (panel.report === "by_hour") return this.series("by_hour", HOUR, this.rows("hours"));
    if (panel.name === "failures") return this.executionsOf({success: false}).slice(0, 20);
    if (panel.name === "repositories" && !this.isFiltered) return this.rows("repositories");
    const rows = this.rows(panel.report, {each: panel.each});
    for (const row of rows) {
      if (!known(row.start)) continue;
      this.timed(row, row.bucket_length === "hour" ? HOUR : DAY);
    }
    return rows;
  }

  // The executions in the page of what is chosen and of what is wanted besides, the newest first.
  executionsOf(wanted) {
    const isTask = known(wanted.text_id);
    const since = isTask ? 0 : this.age.as_of - LENGTHS[this.chosen.time_range];
    const values = Object.entries(isTask ? wanted : this.places(wanted))
      .filter(([name]) => name !== "start" && name !== "end");
    return this.executions.filter((row) => row.timestamp >= Math.max(since, wanted.start ?? 0)
      && row.timestamp < (wanted.end ?? Infinity)
      && values.every(([name, value]) => row[name] === value));
  }

  places(wanted) {
    const chosen = Object.keys(FILTERS).filter((name) => this.chosen[name] !== 0)
      .map((name) => [`${name}_place`, this.chosen[name]]);
    return {...Object.fromEntries(chosen), ...wanted};
  }

  // Whether any choice of the filters has something to draw.
  isRecorded({report: name, drawn}) {
    const {report} = this.reports[name];
    return (report[drawn] ?? []).some((value) => known(value) && value !== 0);
  }

  // A figure as it is shown; a mean, a cost or a percentile with how many executions it is over.
  shown(row, {figure, form, known: over}) {
    const text = write(row[figure], form);
    if (!over || !known(row[figure])) return text;
    const few = row.has_enough_samples === false || row[over] < this.leastSamples;
    return `${text} of ${write(row[over], "count")}${few ? "?" : ""}`;
  }

  // What a row's figure is by the thresholds of an alert; what is always so judges none.
  levelOf(row, {drawn, judgedBy}) {
    if (row.has_enough_samples === false) return "too few to judge";
    const isAlwaysSo = this.alerts
      .some((alert) => alert.alert_name === judgedBy && alert.state === "always so");
    const broken = isAlwaysSo || !known(row[drawn]) ? [] : this.thresholds()
      .filter(({alert_name: name, raised_when: when, height}) => name === judgedBy
        && (when === "under" ? row[drawn] < height : row[drawn] > height))
      .map(({severity}) => severity);
    return broken.includes("critical") ? "critical" : broken[0] ?? "ok";
  }

  // Thresholds as high as the figures are: rates are from 0 to 1.
  thresholds() {
    return this.all("thresholds").map((row) => (
      {...row, height: row.unit === "percent" ? row.threshold / 100 : row.threshold}
    ));
  }
}
