// ---- from a bar, a cell or a row to its executions ----------------------------------------------

const MOST_SHOWN = 100;
const EXECUTION_COLUMNS = [
  {figure: "timestamp", title: "at (UTC)", form: "time"},
  {figure: "task_description", title: "task", form: "text"},
  {figure: "model_tier", title: "tier", form: "text"},
  {figure: "outcome", title: "outcome", form: "text"},
  {figure: "detail", title: "error, solution", form: "text"},
  {figure: "actual_cost", title: "cost", form: "dollars"},
  {figure: "duration_seconds", title: "took", form: "seconds"},
  {figure: "repo", title: "repository", form: "text"},
];
const TIER_COLUMNS = [
  {figure: "model_tier", title: "tier", form: "text"},
  {figure: "execution_count", title: "runs", form: "count"},
  {figure: "success_count", title: "succeeded", form: "count"},
  {figure: "success_rate", title: "success rate", form: "percent"},
  {figure: "success_rate_lower", title: "95 % from", form: "percent"},
  {figure: "success_rate_upper", title: "to", form: "percent"},
  {figure: "avg_cost", title: "cost a run", form: "dollars"},
  {figure: "avg_duration", title: "took", form: "seconds"},
];
const LIKE_COLUMNS = [
  {figure: "similarity", title: "alike", form: "percent"},
  {figure: "task_description", title: "task", form: "text"},
  {figure: "by_tier", title: "by tier", form: "text"},
];

// What a row of a panel is of: values that executions have, too.
function wantedBy(row, panel, page) {
  const wanted = {};
  for (const name of DIMENSIONS) {
    const place = row[`${name}_place`];
    if (place > 0) wanted[`${name}_place`] = place;
  }
  if (panel.name === "repositories" && !("repo_place" in wanted)) {
    const place = page.choices.repo.indexOf(row.repo);
    wanted.repo_place = place > 0 ? place : page.choices.repo.length;
  }
  if (panel.name === "errors") Object.assign(wanted, {error_type: row.error_type, success: false});
  if (known(row.start)) Object.assign(wanted, {start: row.start, end: row.end});
  return wanted;
}

function inWords(wanted, page) {
  const words = [];
  for (const name of DIMENSIONS) {
    const place = wanted[`${name}_place`] ?? page.chosen[name];
    if (place > 0) words.push(page.nameOf(name, place));
  }
  if (wanted.error_type) words.push(wanted.error_type);
  words.push(known(wanted.start) ? `${time(wanted.start)} to ${time(wanted.end)}`
    : RANGES[page.chosen.time_range]);
  return words.join(" · ");
}

// Where the page is served, the database is asked; else there are those that the page holds.
async function asked(path, wanted, page) {
  const values = new URLSearchParams({time_range: page.chosen.time_range, ...wanted});
  const response = await fetch(`${path}?${values}`);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

async function executionsFor(wanted, page) {
  if (!page.live) return page.executionsOf(wanted);
  const filters = "text_id" in wanted ? wanted : page.places(wanted);
  const {executions} = await asked("executions", filters, page);
  return Object.values(executions)[0].map((_, row) => page.named(rowOf(executions, row)));
}

const tiersFor = (textId, page) => page.all("task_tiers").filter((row) => row.text_id === textId);

function showTask(row, page) {
  return openExecutions({text_id: row.text_id}, row.task_description, null, page);
}

function showExecutions(row, panel, page) {
  if (panel.report === "executions") return known(row.text_id) ? showTask(row, page) : undefined;
  const total = panel.name === "errors" ? row.error_count : row.total_executions;
  const wanted = wantedBy(row, panel, page);
  return openExecutions(wanted, inWords(wanted, page), total, page);
}

function fill(name, columns, rows, opened) {
  const box = element(`executions-${name}`);
  box.hidden = !rows.length;
  fillRows(box.querySelector("table"), columns, rows, opened);
}

async function openExecutions(wanted, title, total, page) {
  const dialog = element("executions");
  const said = element("executions-said");
  element("executions-title").textContent = title;
  said.textContent = "Reading …";
  for (const name of ["tiers", "like", "rows"]) fill(name, [], []);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  try {
    const rows = (await executionsFor(wanted, page)).slice(0, MOST_SHOWN);
    const isTask = "text_id" in wanted;
    fill("tiers", TIER_COLUMNS, isTask ? tiersFor(wanted.text_id, page) : []);
    fill("rows", EXECUTION_COLUMNS, rows.map((row) => ({
      ...row,
      outcome: row.success ? "succeeded" : `failed: ${row.error_type}`,
      detail: (row.success ? row.solution_summary : row.error_message) ?? "–",
    })), {at: 1, press: (row) => (known(row.text_id) ? showTask(row, page) : undefined)});
    const of = known(total) && total > rows.length ? ` of ${grouped.format(total)}` : "";
    said.textContent = rows.length ? `The newest ${grouped.format(rows.length)}${of}.` : "None of them is in this file.";
    if (!page.live) said.textContent += " This file holds some of the newest; orb serve shows them all.";
    if (isTask && page.live) await showLike(wanted.text_id, page);
  } catch (error) {
    said.textContent = `They could not be read: ${error.message}`;
  }
}

async function showLike(textId, page) {
  const {tasks} = await asked("like", {text_id: textId}, page);
  fill("like", LIKE_COLUMNS, tasks.map((row) => ({
    ...row,
    task_description: visible(row.task_description),
    by_tier: row.by_tier.map((tier) => `${visible(tier.model_tier)} ${tier.success_count} of `
      + `${tier.execution_count}`).join(", "),
  })));
}
