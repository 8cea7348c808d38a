// ---- the first screen: how old, what to change, tiles, alerts -----------------------------------

function drawAge(page) {
  const {age} = page;
  const part = (label, value) => [`${label} `, strong(value)];
  const ago = (value) => (known(value) ? `${time(value)} (${distance(age.as_of - value)})` : "none");
  element("age").replaceChildren(
    ...part("As of", `${time(age.as_of)} UTC`),
    ...part(" · last execution", ago(age.last_execution_at)),
    ...part(" · last build", ago(age.built_at)),
    ...part(" ·", count(age.total_executions, "execution")),
    ...(age.assigned_time_count ? [` · ${assignedTimes(age)}`] : []),
  );
  const isEmpty = !age.total_executions;
  for (const id of ["controls", "content"]) element(id).hidden = isEmpty;
  element("begin").hidden = !isEmpty;
  const shown = page.rows("figures")[0];
  const notice = element("notice");
  notice.hidden = isEmpty || Boolean(shown);
  if (!notice.hidden) {
    notice.textContent = `Nothing was executed in ${RANGES[page.chosen.time_range]}`
      + `${page.isFiltered ? " with these choices" : ""}. Choose a longer time range`
      + `${page.isFiltered ? ", or All" : ""}.`;
  }
}

// A figure with its bounds; what is paid has them the other way round.
function bounded(row, name, form, sign = 1) {
  const [low, high] = [row[`${name}_lower`], row[`${name}_upper`]];
  if (!known(low)) return form(Math.abs(row[name]));
  const bounds = sign < 0 ? [-high, -low] : [low, high];
  return `${form(Math.abs(row[name]))} (${bounds.map(form).join(" to ")})`;
}

// Better or worse, where the interval holds no 0.
function told(row, name) {
  const [low, high] = [row[`${name}_lower`] ?? row[name], row[`${name}_upper`] ?? row[name]];
  if (low > 0) return "better";
  return high < 0 ? "worse" : "unclear";
}

function stakes(row) {
  const parts = [];
  const [dollars, successes] = [row.usd_per_30_days, row.successes_per_30_days];
  if (successes) {
    const sign = Math.sign(successes);
    const text = bounded(row, "successes_per_30_days", (value) => value.toFixed(1), sign);
    parts.push([`${text} successes ${sign > 0 ? "more" : "fewer"}`, told(row, "successes_per_30_days")]);
  }
  if (dollars) {
    const sign = Math.sign(dollars);
    const text = bounded(row, "usd_per_30_days", money, sign);
    parts.push([`${text} ${sign > 0 ? "saved" : "more to pay"}`, told(row, "usd_per_30_days")]);
  }
  return parts;
}

function changeItem(row) {
  const item = make("li");
  item.append(make("p", row.sentence, "change"));
  const worth = make("p", "", "stakes");
  for (const [text, say] of stakes(row)) {
    const part = make("span", text, "stake");
    part.dataset.say = say;
    worth.append(part);
  }
  if (worth.childNodes.length) {
    const tasks = known(row.task_count) ? ` of ${count(row.task_count, "task")}` : "";
    worth.append(make("span", `in 30 days; from ${count(row.execution_count, "run")}${tasks}`));
    item.append(worth);
  }
  item.append(make("p", row.reason, "reason"));
  if (row.more_count) {
    const more = make("p", `${row.more_count} more like it: `, "reason");
    more.append(code(row.source));
    item.append(more);
  }
  return item;
}

const FIRST_CHANGES = 5;

function drawChanges(page) {
  const rows = page.all("changes");
  const changes = rows.filter((row) => row.is_change).map(changeItem);
  const silent = rows.filter((row) => !row.is_change).map((row) => {
    const item = make("li", `${row.sentence} `);
    item.append(make("span", `It takes: ${row.reason.replace(/^it takes /, "")}.`, "reason"));
    return item;
  });
  element("changes-none").hidden = changes.length > 0;
  element("changes-first").replaceChildren(...changes.slice(0, FIRST_CHANGES));
  const rest = changes.slice(FIRST_CHANGES);
  element("changes-more").hidden = rest.length + silent.length === 0;
  element("changes-more").querySelector("summary").textContent = [
    rest.length ? `${rest.length} more` : "", silent.length ? "what the data do not tell" : "",
  ].filter(Boolean).join(", and ");
  element("changes-rest").replaceChildren(...rest);
  element("changes-silent").replaceChildren(...silent);
}

function drawAlerts(page) {
  const raised = page.alerts.filter((row) => row.is_raised);
  element("raised").replaceChildren(...raised.map((row) => {
    const card = make("div", "", "alert");
    card.dataset.level = row.severity;
    card.append(make("p", `${row.severity}: ${row.message}`, "change"), make("p", row.reason, "reason"));
    return card;
  }));
}

// ---- tiles --------------------------------------------------------------------------------------

const WORDS = {
  better: "better", worse: "worse", unclear: "no clear change", "too few": "too few to compare",
};

function changeOf(tile, changes) {
  const {figure, form} = tile;
  const before = changes?.[`${figure}_before`];
  if (!known(before)) return [`nothing before to compare with`, ""];
  const was = `from ${FORMS[form](before)}`;
  if (!tile.is_judged) {
    const growth = changes[`${figure}_growth`];
    if (!known(growth)) return [was, ""];
    return [`${Math.abs(growth) < 0.0005 ? "±0 %" : signed(rate(growth))} ${was}`, ""];
  }
  const say = changes[`${figure}_say`];
  if (!known(say)) return [was, ""];
  if (say === "too few") return [`${was}: ${WORDS[say]}`, ""];
  const parts = ["change", "change_lower", "change_upper"].map((name) => changes[`${figure}_${name}`]);
  const [change, low, high] = form === "percent"
    ? [signed((100 * parts[0]).toFixed(1)), ...parts.slice(1).map((value) => signed((100 * value).toFixed(0)))]
    : parts.map((value) => signed(FORMS[form](value)));
  const unit = form === "percent" ? " points" : "";
  return [`${WORDS[say]}: ${change}${unit} (${low} to ${high}) ${was}`, say];
}

function sparkline(values) {
  const size = values.filter(known).length;
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 100 28");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "spark");
  svg.setAttribute("aria-hidden", "true");
  if (size < 3) return svg;
  const having = values.filter(known);
  const [low, high] = [Math.min(...having), Math.max(...having)];
  let pen = "M";
  let path = "";
  values.forEach((value, at) => {
    if (!known(value)) { pen = "M"; return; }
    const x = (100 * at) / (values.length - 1);
    const y = high === low ? 14 : 26 - (24 * (value - low)) / (high - low);
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  });
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  line.setAttribute("vector-effect", "non-scaling-stroke");
  svg.append(line);
  return svg;
}

function drawTile(tile, page, [row], [changes], series) {
  const value = row?.[tile.figure] ?? (tile.figure === "total_executions" ? 0 : null);
  const box = element(`tile-${tile.name}`);
  box.querySelector(".figure").textContent = known(value) ? FORMS[tile.form](value) : "–";
  const under = [];
  if (tile.figure === "success_rate" && known(value)) {
    under.push(`${rate(row.success_rate_lower)} to ${rate(row.success_rate_upper)}, of `
      + `${count(row[tile.known], "execution")}`);
  } else if (tile.figure === "total_executions") {
    under.push(known(row?.successful_count) ? `${grouped.format(row.successful_count)} succeeded` : "none");
  } else if (known(value)) {
    under.push(tile.figure === "cost_per_success" ? `over ${count(row[tile.known], "success", "successes")}`
      : `over ${count(row[tile.known], "execution")}`);
  } else {
    under.push(row && row[tile.known] === 0 && tile.missing ? tile.missing : "unknown");
  }
  if (row && value && (row.has_enough_samples === false || row[tile.known] < page.leastSamples)) {
    under.push(" · few samples");
  }
  box.querySelector(".under").replaceChildren(...under);
  const [text, say] = known(value) ? changeOf(tile, changes) : ["", ""];
  box.dataset.say = say;
  box.querySelector(".since").textContent = text;
  box.querySelector(".trend").replaceChildren(sparkline(series.map((bucket) => bucket[tile.figure])));
}

function drawTiles(page) {
  const [figures, changes] = [page.rows("figures"), page.rows("tile_changes")];
  const series = page.inRange();
  const whole = series.some((row) => row.is_complete) ? series.filter((row) => row.is_complete) : [];
  page.tiles.forEach((tile) => drawTile(tile, page, figures, changes, whole));
}
