// ---- captions -----------------------------------------------------------------------------------

// A part of a bucket is neither the lowest nor the highest, and few samples are no rate or average.
function extremes(rows, {figure, form, known: over}, least) {
  const isSum = form === "count" || form === "bytes" || figure === "total_cost";
  const having = rows.filter((row) => known(row[figure]) && row.is_complete !== false
    && (isSum || (row.has_enough_samples !== false && !(over && row[over] < least))));
  having.sort((a, b) => b[figure] - a[figure]);
  return [having[0], having[having.length - 1], having.length];
}

// What is said of panels whose rows are no ranking.
const SAID = {
  sentence: (rows) => rows[0].sentence, // written where the figures come from
  alerts(rows) {
    const raised = rows.filter((row) => row.is_raised);
    const usual = rows.filter((row) => row.state === "always so");
    return raised.length
      ? `${raised.length} raised: ${raised.map((row) => row.message).join("; ")}`
      : `None of ${rows.length} alerts is raised.`
        + `${usual.length ? ` Always so: ${usual.map((row) => row.message).join("; ")}` : ""}`;
  },
  checks(rows) {
    const failing = rows.filter((row) => row.status === "warning");
    return failing.length
      ? `${failing.length} of ${rows.length} checks find something; most rows: ${failing[0].check_name}, `
        + `${failing[0].failing_count_text}.`
      : `None of the ${rows.length} checks finds anything.`;
  },
  maintenance(rows) {
    const last = rows.find((row) => row.step === "run") ?? rows[0];
    return `The last run of orb maintain, at ${last.started_at_text} UTC: ${last.outcome}.`;
  },
  funnel(rows) {
    const records = (stage) => rows.find((row) => row.stage === stage)?.record_count ?? 0;
    const lost = rows.filter((row) => row.kind === "lost" && row.record_count > 0)
      .sort((one, other) => other.record_count - one.record_count)[0];
    const waiting = records("waiting_for_build");
    return `${count(records("executions"), "execution")} of ${count(records("recorded"), "record")}`
      + `${lost ? `; most were lost as ${lost.stage}: ${lost.record_count_text}` : ""}`
      + `${waiting ? `; ${write(waiting, "count")} wait for a build` : ""}.`;
  },
  retention(rows) {
    const came = rows.find((row) => row.part === "came");
    const what = known(came?.version_count) ? count(came.version_count, "version")
      : `${write(came?.feedback_count, "count")} of feedback`;
    return `${what} came; what is kept and what went ${came?.is_complete ? "add" : "do NOT add"} up to it.`;
  },
  storage(rows) {
    const database = rows.find((row) => row.place === "database");
    return database ? `The database has ${database.size_bytes_text}: ${database.alert}.` : "";
  },
};

function caption(panel, rows, page) {
  const said = SAID[panel.caption.replace(/[{}]/g, "")];
  if (said) return said(rows);
  const label = panel.columns
    .filter(({figure, form}) => form === "text" && figure !== "message" && figure !== "error_message");
  const nameOf = (row) => label.slice(0, 2).filter(({figure}) => known(row[figure]))
    .map(({figure}) => row[figure]).join(", ");
  const column = panel.columns.find((one) => one.figure === panel.drawn);
  const shown = (row) => row[`${panel.drawn}_text`];
  const [most, least, having] = extremes(rows, column, page.leastSamples);
  const title = capital(column.title);
  if (having === 0) return `${title}: nothing that is complete and over enough executions to name.`;
  const template = panel.caption || "Most: {most} ({most_is}), least: {least} ({least_is}).";
  if (template.includes("{least}") || template.includes("{least_at}")) {
    if (having === 1) {
      const what = most[panel.drawn] === 1 ? column.title.replace(/s$/, "") : column.title;
      return column.form === "count" ? `${shown(most)} ${what}, all ${nameOf(most)}.`
        : `${capital(nameOf(most))} only: ${column.title} ${shown(most)}.`;
    }
    if (most[panel.drawn] === least[panel.drawn]) return `${title}: ${shown(most)} throughout.`;
  }
  const words = {
    most: nameOf(most), most_at: most.at, most_is: shown(most), least: nameOf(least),
    least_at: least.at, least_is: shown(least), count: String(rows.length),
  };
  return template.replace(/\{(\w+)\}/g, (_, name) => words[name]);
}

// What is to be said beside what a panel shows: of times that nobody recorded, and of unlike work.
function cautions(panel, page) {
  const isOverTime = panel.columns.some(({figure}) => figure === "when");
  const compared = {success_by_pool: "pool", repositories: "repository"}[panel.name];
  const pairs = page.rows("like_for_like").filter(({dimension}) => dimension === compared);
  return [
    isOverTime && page.age.assigned_time_count ? " Some times were assigned, not recorded." : "",
    pairs.length ? " Their tiers and task types differ: see like for like." : "",
  ].join("");
}

function assignedTimes(age) {
  return `The times of ${grouped.format(age.assigned_time_count)} of `
    + `${count(age.total_executions, "execution")} were assigned, not recorded.`;
}

// Panels without data, in one line: what is not recorded and how to, and what is not in this choice.
function absences(empty, page) {
  const reasons = new Map();
  for (const panel of empty) {
    const reason = page.isRecorded(panel) ? "" : panel.missing || "nothing of it is known";
    reasons.set(reason, [...(reasons.get(reason) ?? []), panel.title]);
  }
  const parts = [];
  for (const [reason, titles] of reasons) {
    if (reason) parts.push(strong(titles.join(", ")), ` – ${reason}. `);
  }
  if (parts.length) parts.unshift("Not recorded: ");
  const here = reasons.get("");
  if (here) {
    parts.push(`Nothing in ${RANGES[page.chosen.time_range]}${page.isFiltered ? " with these choices" : ""}: `,
      strong(here.join(", ")), ". ");
  }
  return parts;
}
