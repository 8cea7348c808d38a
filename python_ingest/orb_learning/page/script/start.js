// ---- the choices, in the address ----------------------------------------------------------------

function writeAddress(page) {
  const choices = new URLSearchParams({range: page.chosen.time_range});
  for (const name of Object.keys(FILTERS)) {
    if (page.chosen[name]) choices.set(name, page.nameOf(name, page.chosen[name]));
  }
  if (page.theme) choices.set("theme", page.theme);
  const open = page.sections.filter(({id}) => element(id).open).map(({id}) => id.replace("section-", ""));
  if (open.length) choices.set("open", open.join(","));
  history.replaceState(null, "", `#${choices}`);
}

function readAddress(page) {
  const choices = new URLSearchParams(location.hash.slice(1));
  if (choices.get("range") in RANGES) page.chosen.time_range = choices.get("range");
  for (const name of Object.keys(FILTERS)) {
    const places = page.placesOf("figures", name);
    page.chosen[name] = places.find((place) => page.nameOf(name, place) === choices.get(name)) ?? 0;
  }
  page.theme = ["light", "dark"].includes(choices.get("theme")) ? choices.get("theme") : "";
  const open = (choices.get("open") ?? "").split(",");
  for (const {id} of page.sections) element(id).open = open.includes(id.replace("section-", ""));
}

// ---- drawing ------------------------------------------------------------------------------------

async function draw(page) {
  document.documentElement.dataset.theme = page.dark ? "dark" : "light";
  element("theme").textContent = page.dark ? "Light" : "Dark";
  element("theme").setAttribute("aria-pressed", String(page.dark));
  const turn = (page.turn = (page.turn ?? 0) + 1);
  document.body.removeAttribute("data-drawn");
  for (const radio of document.querySelectorAll("[name=time_range]")) {
    radio.checked = radio.value === page.chosen.time_range;
  }
  for (const name of Object.keys(FILTERS)) element(name).value = String(page.chosen[name]);
  element("reset").disabled = !page.isFiltered;
  drawAge(page);
  if (page.age.total_executions) {
    drawChanges(page);
    drawAlerts(page);
    drawTiles(page);
    const panels = page.sections.flatMap((section) => drawSection(section, page));
    for (const [panel, content] of panels) {
      if (turn !== page.turn) return; // a later choice draws everything anew
      await drawPanel(panel, content, page);
    }
  }
  if (turn === page.turn) document.body.dataset.drawn = "yes";
}

function fillChoices(page) {
  for (const [name, plural] of Object.entries(FILTERS)) {
    const places = page.placesOf("figures", name);
    element(name).replaceChildren(
      new Option(`All ${plural}`, "0"),
      ...places.map((place) => new Option(page.nameOf(name, place), place)),
    );
  }
}

function listen(page) {
  const changed = () => { writeAddress(page); return draw(page); };
  for (const name of Object.keys(FILTERS)) {
    element(name).addEventListener("change", (event) => {
      page.chosen[name] = Number(event.target.value);
      changed();
    });
  }
  for (const radio of document.querySelectorAll("[name=time_range]")) {
    radio.addEventListener("change", () => {
      page.chosen.time_range = radio.value;
      changed();
    });
  }
  element("reset").addEventListener("click", () => {
    for (const name of Object.keys(FILTERS)) page.chosen[name] = 0;
    changed();
  });
  element("theme").addEventListener("click", () => {
    page.theme = page.dark ? "light" : "dark";
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(page));
  matchMedia("(max-width: 820px)").addEventListener("change", () => draw(page));
  window.addEventListener("hashchange", () => {
    readAddress(page);
    draw(page);
  });
  for (const {id} of page.sections) element(id).addEventListener("toggle", changed);
  for (const link of document.querySelectorAll("[data-section]")) {
    link.addEventListener("click", () => {
      element(link.dataset.section).open = true;
      element(link.dataset.section).scrollIntoView();
    });
  }
  element("executions-close").addEventListener("click", () => element("executions").close());
}

// Of a served page: new figures where the database changed, and at times because time goes on.
const LOOK_SECONDS = 15;
const ANEW_SECONDS = 300;

async function keepNew(page) {
  let [version, since] = ["", Date.now()];
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const now = (await (await fetch("version")).json()).version;
      if (now === version && Date.now() - since < ANEW_SECONDS * 1000) return;
      const isFirst = !version;
      version = now;
      if (isFirst) return;
      page.load((await (await fetch("reports")).json()));
      since = Date.now();
      fillChoices(page);
      await draw(page);
      element("live").textContent = "live";
    } catch {
      element("live").textContent = "no answer: is orb serve still running?";
    }
  }, LOOK_SECONDS * 1000);
}

async function start() {
  const content = await readContent();
  const page = new Page(content);
  page.live = !content.reports;
  page.load(content.reports ?? await (await fetch("reports")).json());
  fillChoices(page);
  readAddress(page);
  await new Promise((done) => { setTimeout(done); }); // what opening a section tells is told
  listen(page);
  await draw(page);
  if (page.live) await keepNew(page);
}

start().catch((error) => {
  const notice = element("notice");
  notice.hidden = false;
  notice.textContent = `This page could not be drawn: ${error.message}. It needs a browser of 2023 `
    + "or later.";
  throw error;
});
