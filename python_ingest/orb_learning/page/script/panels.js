// ---- sections and their panels ------------------------------------------------------------------

const isNarrow = () => matchMedia("(max-width: 820px)").matches;

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
      columnPadding: 14, orient: isNarrow() ? "bottom" : "top",
    },
  };
}

// The rows of a panel as they are written, and what it says of them; no rows where it is empty.
function prepared(panel, page) {
  const rows = page.rowsOf(panel);
  const isCounted = panel.columns.find(({figure}) => figure === panel.drawn)?.form === "count";
  const isEmpty = !rows.some((row) => known(row[panel.drawn]) && !(isCounted && row[panel.drawn] === 0))
    || (rows.length > 0 && "total_executions" in rows[0]
      && rows.every((row) => row.total_executions === 0));
  if (isEmpty) return {rows: [], said: ""};
  const someAreWhole = rows.some((row) => row.is_complete);
  for (const row of rows) {
    if (panel.judgedBy) row.level = page.levelOf(row, panel);
    row.is_drawn = !someAreWhole || row.is_complete !== false;
    for (const column of panel.columns) row[`${column.figure}_text`] = page.shown(row, column);
  }
  return {rows, said: caption(panel, rows, page) + cautions(panel, page)};
}

function drawSection(section, page) {
  const found = section.panels.map((panel) => [panel, prepared(panel, page)]);
  const empty = found.filter(([, {rows}]) => !rows.length).map(([panel]) => panel);
  const box = element(section.id);
  const [first] = found.filter(([panel, {rows}]) => rows.length && panel.name !== "failures");
  box.querySelector(".gist").textContent = first ? first[1].said.replace(/\. .*/, ".") : "no data";
  const absent = box.querySelector(".absent");
  absent.hidden = !empty.length;
  absent.replaceChildren(...absences(empty, page));
  for (const panel of empty) element(`panel-${panel.name}`).hidden = true;
  return box.open ? found.filter(([, {rows}]) => rows.length) : [];
}

async function drawPanel(panel, {rows, said}, page) {
  const box = element(`panel-${panel.name}`);
  box.hidden = false;
  box.querySelector(".sentence").textContent = said;
  box.querySelector(".unfiltered").hidden = panel.isFiltered || !page.isFiltered;
  fillTable(box.querySelector("table"), panel, rows, page);
  const place = box.querySelector(".chart");
  if (!place) return;
  page.charts.get(panel.name)?.finalize();
  page.charts.delete(panel.name);
  place.replaceChildren();
  const bars = panel.chart.height?.step;
  place.hidden = Boolean(bars) && rows.length === 1; // the sentence says all of it
  box.classList.toggle("said", place.hidden);
  if (place.hidden) return;
  const spec = {
    ...panel.chart, datasets: {...panel.chart.datasets, rows, thresholds: page.thresholds()},
  };
  if (bars) { // of a bar or a row of cells; the width is the panel's
    const names = new Set(rows.map((row) => row[panel.columns[0].figure]));
    spec.height = bars * names.size;
  }
  const made = await vegaEmbed(place, spec, {
    logLevel: 1, // errors
    ast: true, // Vega's interpreter: the page forbids eval
    actions: false,
    defaultStyle: false,
    renderer: "canvas",
    tooltip: {disableDefaultStyle: true},
    config: look(page.dark),
  });
  page.charts.set(panel.name, made);
  if (panel.opens) {
    made.view.addEventListener("click", (_, item) => {
      if (item?.datum && known(item.datum[panel.drawn])) showExecutions(item.datum, panel, page);
    });
  }
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", said);
}

function cellsOf(row, columns, first) {
  return columns.map(({figure, form}, at) => {
    const text = row[`${figure}_text`] ?? write(row[figure], form);
    const cell = make("td", first && at === first.at ? "" : text);
    if (first && at === first.at) cell.append(button(text, () => first.press(row)));
    if (RIGHT.has(form)) cell.className = "number";
    else if (form === "time") cell.className = "time";
    else if (text.length > 40) cell.className = "long";
    return cell;
  });
}

function fillTable(table, panel, rows, page) {
  const opened = panel.opens ? {
    at: panel.report === "executions" ? 1 : 0,
    press: (row) => showExecutions(row, panel, page),
  } : null;
  fillRows(table, panel.columns, rows, opened);
}

function fillRows(table, columns, rows, opened) {
  const head = document.createElement("tr");
  head.append(...columns.map(({title, form}) => {
    const cell = make("th", title, RIGHT.has(form) ? "number" : "");
    cell.scope = "col";
    return cell;
  }));
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...rows.map((row) => {
    const line = document.createElement("tr");
    line.append(...cellsOf(row, columns, opened));
    return line;
  }));
}
