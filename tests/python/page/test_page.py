"""The page in a browser: drawn without network or errors, its filters, its texts, its looks."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import md5
from pathlib import Path
from typing import Any
from unicodedata import category

import pytest
from browsers import NO_BROWSER
from building import REPOSITORY, STEM, DbtProject
from histories import BLOCK_SIZE, NOON, TODAY, insert_many, task_id
from oracle import MODELS
from playwright.sync_api import Browser, Page, expect, sync_playwright

from orb_learning import formats
from orb_learning.errors import NotBuiltError, PageError
from orb_learning.page.charts.shared import AMBER_TINT, BLUE
from orb_learning.page.panels import SECTIONS
from orb_learning.page.reports import read_reports
from orb_learning.page.writing import render, write_page
from orb_learning.store.connection import connect

HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 1">',
    "'\"><svg onload=window.hacked=1>\u2028\u2029",
    "{{ 7 * 7 }} ${window.hacked = 1}",
    "".join(map(chr, [*range(1, 32), *range(127, 160)])) + "\x1b[31m\u202e controls",
]
LONG = ["long " * 40 + random.Random(end).randbytes(500_000).hex() for end in (1, 2)]  # noqa: S311
"""A megabyte each that hardly packs, and alike as far as they are shown."""
SHOWN_LONG = [f"{text[:192]}… {md5(text.encode()).hexdigest()[:6]}" for text in LONG]  # noqa: S324
TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
REPOS = ["api", "web", *HOSTILE]
TIERS = ["small", "medium", "large", HOSTILE[0]]
ROUTING = json.dumps(
    {"routing": {"candidates": [{"plan": tier, "propensity": 0.25} for tier in TIERS]}}
)
LENGTHS = {"1h": "1 hour", "24h": "24 hour", "7d": "7 day", "30d": "30 day", "90d": "90 day"}


@pytest.fixture(scope="module")
def database(
    project: DbtProject, small_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The small database with 800 executions more, in every range, with texts that would run."""
    file = tmp_path_factory.mktemp("page") / f"{STEM}.db"
    shutil.copy(small_database, file)
    chance = random.Random(12)  # noqa: S311
    rows = []
    for number in range(800):
        failed = chance.random() < 0.3
        age = timedelta(hours=chance.choice([0.9, 20, 160, 700, 2100]) * chance.random())
        rows.append({
            "task_id": task_id(1000 + number),
            "timestamp": NOON - age,
            "task_type": chance.choice(["docs", "test", HOSTILE[1], HOSTILE[4]]),
            "repo": chance.choice(REPOS),
            "model_tier": chance.choice(TIERS),
            "metadata": ROUTING,
            "pool_type": chance.choice(["local", "cloud", HOSTILE[2]]),
            "success": not failed,
            "error_type": chance.choice(["timeout", "crash", None]) if failed else None,
            "solution_summary": HOSTILE[0] if number < 100 else None,
            "complexity_score": chance.randrange(101),
            "duration_seconds": chance.choice([None, *[chance.expovariate(1 / 40)] * 4]),
            "quality_score": chance.choice([None, chance.randrange(101)]),
            "cost_estimate": chance.random(),
            "actual_cost": chance.choice([None, *[chance.random()] * 4]),
            "routing_confidence": chance.choice([None, chance.random()]),
            "user_rating": chance.choice([None, chance.randint(1, 5)]),
            "user_accepted": chance.choice([None, True, False]),
            "peak_memory_mb": chance.choice([None, *[chance.uniform(50, 900)] * 4]),
            "cpu_time_seconds": chance.choice([None, *[chance.uniform(1, 90)] * 4]),
        })  # fmt: skip
    texts = ["task_type", "repo", "model_tier", "pool_type", "solution_summary"]
    for number in range(12):
        rows.append({
            "task_id": task_id(2000 + number),
            "timestamp": NOON - timedelta(days=8, minutes=number),
            "success": bool(number % 3),
            **dict.fromkeys(texts, LONG[number % 2]),
        })  # fmt: skip
    with connect(file) as connection:
        connection.execute("begin")
        insert_many(connection, rows)
        for number, (satisfaction, visibility) in enumerate(
            itertools.product(["excellent", "good", "fair", "poor"], ["team", "public", "private"])
        ):
            values = {
                "feedback_id": task_id(3000 + number),
                "task_id": task_id((2000 if number < 6 else 1000) + number),
                "submitted_at": NOON - timedelta(minutes=30),
                "satisfaction": satisfaction,
                "issue_type": "too_slow" if satisfaction in ("fair", "poor") else None,
                "comment": None if visibility == "public" else HOSTILE[0],
                "visibility": visibility,
                "user_id": None if visibility == "public" else HOSTILE[1],
            }
            connection.execute(
                f"insert into raw.feedback ({', '.join(values)}, _load_seq, _loaded_at) values "
                f"({', '.join('?' * len(values))}, nextval('raw.load_seq'), ?)",
                [*values.values(), TODAY + timedelta(days=1)],
            )
        for number, text in enumerate([*HOSTILE, LONG[0]]):
            for step in ("run", text):
                connection.execute(
                    "insert into raw.maintenance_steps values (?, ?, ?, ?, ?, ?)",
                    [task_id(number), step, "failed", NOON - timedelta(hours=number), NOON, text],
                )
        for days in range(20):
            for place, size in [("database", 2_000_000), ("outbox", 300_000)]:
                connection.execute(
                    "insert into raw.storage_samples by name select ?::timestamp as sampled_at, "
                    "'place' as kind, ? as name, ?::bigint as size_bytes, 5::bigint as row_count",
                    [NOON - timedelta(days=days), place, size - 10_000 * days],
                )
        connection.execute("commit")
    models = [*MODELS, "path:models/routing"]
    project.run(file, select=models, as_of=NOON.isoformat(), load_block_size=BLOCK_SIZE)
    return file


@pytest.fixture(scope="module")
def page_file(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("written") / "report.html"
    write_page(database, file)
    return file


@pytest.fixture(scope="module")
def browser(browser_file: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_file, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, file: Path, *, width: int = 1280, **look: Any) -> Iterator[Page]:
    """Open the page as somebody would; what it complains of or asks the network for fails."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **look)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.goto(file.as_uri())
    drawn(page)
    yield page
    assert wrong == [file.as_uri()]
    assert page.evaluate("window.hacked") is None
    context.close()


def drawn(page: Page) -> None:
    page.wait_for_selector("body[data-drawn]")


def choose(page: Page, time_range: str, **choices: str) -> None:
    page.locator(f"[name=time_range][value='{time_range}']").check(force=True)
    for column in ("repo", "model_tier", "pool_type"):
        label = choices.get(column)
        page.locator(f"#{column}").select_option(**({"label": label} if label else {"value": "0"}))
    drawn(page)


def table(page: Page, panel: str) -> list[list[str]]:
    return page.evaluate(  # type: ignore[no-any-return]
        "(panel) => [...document.querySelectorAll(`#panel-${panel} tbody tr`)]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))",
        panel,
    )


def pixels(page: Page) -> dict[str, int]:
    """Count the pixels that each panel's chart has drawn on."""
    return page.evaluate(  # type: ignore[no-any-return]
        """() => Object.fromEntries([...document.querySelectorAll('.panel')]
        .filter((panel) => panel.querySelector('.chart:not([hidden])') && !panel.hidden)
        .map((panel) => {
          const canvas = panel.querySelector('canvas');
          if (!canvas || !canvas.width || !canvas.height) return [panel.id, 0];
          const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let count = 0;
          for (let at = 3; at < data.length; at += 4) if (data[at]) count += 1;
          return [panel.id, count];
        }))"""
    )


def visible(text: str) -> str:
    """A text as it is shown: no sign of it turns others around, and each is seen."""
    signs = [" " if sign in "\t\n\r" else sign for sign in text]
    return "".join("\ufffd" if category(s) == "Cc" or s in TURNING else s for s in signs)


def opened_sections(page: Page) -> None:
    page.evaluate("for (const each of document.querySelectorAll('.section')) each.open = true")
    expect(page).to_have_url(re.compile("database"))
    drawn(page)


def test_every_panel_is_drawn_with_its_numbers_and_a_sentence(
    browser: Browser, page_file: Path
) -> None:
    with opened(browser, page_file) as page:
        opened_sections(page)
        choose(page, "90d")
        counts = pixels(page)
        assert len(counts) >= 30
        assert {panel for panel, count in counts.items() if count < 500} == set()
        said = []
        for panel in page.locator(".panel:visible").all():
            name = panel.get_attribute("id") or ""
            sentence = panel.locator(".sentence").inner_text()
            assert re.search(r"\d|nothing that is complete", sentence), name
            assert "undefined" not in sentence, name
            said.append(sentence)
            assert table(page, name.removeprefix("panel-")), name
            assert panel.locator("caption").text_content(), name
        assert len(set(said)) > 0.8 * len(said)  # each says what it shows
        for tile in page.locator(".tile .figure").all():
            assert re.search(r"\d", tile.inner_text())


@pytest.mark.parametrize(
    ("time_range", "choices"),
    [
        ("7d", {}),
        pytest.param("90d", {"repo": "web"}, marks=pytest.mark.slow),
        pytest.param("30d", {"repo": "api", "model_tier": "small"}, marks=pytest.mark.slow),
        pytest.param("90d", {"model_tier": "large", "pool_type": "cloud"}, marks=pytest.mark.slow),
        ("90d", {"repo": HOSTILE[0], "pool_type": HOSTILE[2].rstrip("\u2028\u2029")}),
    ],
)
def test_the_filters_show_what_sql_finds(
    browser: Browser, page_file: Path, database: Path, time_range: str, choices: dict[str, str]
) -> None:
    conditions = "".join(f" and rtrim({name}, '\u2028\u2029') = ?" for name in choices)

    def found(query: str) -> list[tuple[Any, ...]]:
        with connect(database, read_only=True) as connection:
            return connection.execute(
                query.replace(
                    "CHOSEN",
                    f"executions where timestamp between ?::timestamp - interval "
                    f"'{LENGTHS[time_range]}' and ?::timestamp {conditions}",
                ),
                [NOON, NOON, *choices.values()],
            ).fetchall()

    with opened(browser, page_file) as page:
        opened_sections(page)
        choose(page, time_range, **choices)
        tiers = {row[0]: row for row in table(page, "success_by_tier")}
        for tier, count, rate in found(
            "select model_tier, count(*), avg(success::int) from CHOSEN group by all"
        ):
            assert (tiers[tier][1], tiers[tier][4]) == (formats.rate(rate), f"{count:,}")
            del tiers[tier]
        assert tiers == {}
        durations = {row[0]: row[3] for row in table(page, "duration_by_tier")}
        for tier, p95 in found(
            "select model_tier, quantile_cont(duration_seconds::double, 0.95) from CHOSEN "
            "group by all"
        ):
            assert durations[tier].partition(" of ")[0] == formats.duration(p95)
        errors = {row[0]: int(row[1].replace(",", "")) for row in table(page, "errors")}
        assert errors == dict(
            found(
                "select coalesce(error_type, 'unknown'), count(*) from CHOSEN and not success "
                "group by all"
            )
        )
        types = {row[0]: int(row[1].replace(",", "")) for row in table(page, "task_types")}
        of_types = found("select task_type, count(*) from CHOSEN group by all")
        assert types == {visible(task_type): count for task_type, count in of_types}
        [(total,)] = found("select count(*) from CHOSEN")
        buckets = table(page, "activity")
        assert sum(int(row[1].replace(",", "")) for row in buckets) == total
        days = {"7d": 8, "30d": 31, "90d": 91}
        assert len(buckets) == days[time_range]
        for panel, said in {
            "cost_trend": "this panel knows no filter, and its time is its own.",
            "ratings": "this panel knows no filter but the time range.",
        }.items():
            unfiltered = page.locator(f"#panel-{panel} .unfiltered")
            assert unfiltered.is_visible() == bool(choices)
            assert (unfiltered.text_content() or "").endswith(said)


def test_its_figures_are_those_of_reports_and_executions(
    project: DbtProject, database: Path
) -> None:
    agreements = [
        "assert_page_agrees_with_reports",
        "assert_page_choices_agree_with_executions",
        "assert_page_changes_are_right",
    ]
    project.run(database, command="test", select=agreements, as_of=NOON.isoformat())


def test_what_people_said_and_maintenance_did_is_there_as_text(
    browser: Browser, page_file: Path
) -> None:
    with opened(browser, page_file) as page:
        opened_sections(page)
        feedback = table(page, "feedback")
        assert sum(int(row[3]) for row in feedback) == 8  # what is private is not in it
        satisfactions = [sum(int(row[at]) for row in feedback) for at in (5, 6, 7, 8)]
        assert satisfactions == [2, 2, 2, 2]
        tiers = {tier for tier, *_ in feedback}
        assert tiers >= set(SHOWN_LONG)
        assert tiers & {"small", "medium", "large", HOSTILE[0]}
        assert page.locator("#panel-feedback .sentence").inner_text()
        steps = table(page, "maintenance")
        assert [row[4] for row in steps[::2]] == [*map(visible, HOSTILE), SHOWN_LONG[0]]
        assert {row[1] for row in steps} == {"run", *map(visible, HOSTILE), SHOWN_LONG[0]}
        said = page.locator("#panel-maintenance .sentence").inner_text()
        assert said.endswith("failed.")


@pytest.mark.slow
def test_it_stays_small_whatever_texts_are_recorded(browser: Browser, page_file: Path) -> None:
    assert page_file.stat().st_size < 2e6
    with opened(browser, page_file) as page:
        opened_sections(page)
        choose(page, "90d")
        for column in ("repo", "pool_type"):
            options = page.locator(f"#{column} option").all_text_contents()
            assert set(options) >= set(SHOWN_LONG)
        assert set(SHOWN_LONG) & set(page.locator("#model_tier option").all_text_contents())
        for panel in ("task_types", "patterns", "quality_by_tier", "resources_by_pool"):
            assert {row[0] for row in table(page, panel)} >= set(SHOWN_LONG)
        longest = page.evaluate(
            "Math.max(...[...document.querySelectorAll('td, option')]"
            ".map((each) => each.textContent.length))"
        )
        assert longest <= 500
        assert min(pixels(page).values()) >= 500


def pixels_of(page: Page, panel: str, *colours: str) -> list[int]:
    """Count the pixels of a panel's chart that have just that colour, of each."""
    return page.evaluate(  # type: ignore[no-any-return]
        """([panel, colours]) => {
          const canvas = document.querySelector(`#panel-${panel} canvas`);
          const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return colours.map((colour) => {
            const wanted = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
            let count = 0;
            for (let at = 0; at < data.length; at += 4)
              if (wanted.every((part, place) => data[at + place] === part)) count += 1;
            return count;
          });
        }""",
        [panel, colours],
    )


@pytest.mark.parametrize("is_beyond", [True, False])
@pytest.mark.slow
def test_page_commands_and_tools_judge_by_the_seed_alone(
    browser: Browser, database: Path, tmp_path: Path, *, is_beyond: bool
) -> None:
    """With thresholds that everything breaks, and with those that nothing does."""
    copy = Path(shutil.copy(database, tmp_path / database.name))
    with connect(copy) as connection:
        connection.execute(
            "update alert_thresholds set threshold = if((raised_when = 'under') = ?, 1e9, -1e9)",
            [is_beyond],
        )
        # Each execution a task of its own, so that all are enough to judge by.
        connection.execute("update fct_executions set _task_text_id = null")
    # What the tool returns; in a process, because the browser's own loop runs here.
    found = json.loads(orb("alerts", "--json", ORB_DATABASE=str(copy)).stdout)
    states = {row["alert_name"]: row["state"] for row in [*found["others"], *found["raised"]]}
    assert sum(state != "unknown" for state in states.values()) >= 10
    judged = set(states.values()) - {"unknown", "always so"}
    assert judged == ({"warning", "critical"} if is_beyond else {"ok"})
    said = orb("alerts", ORB_DATABASE=str(copy), COLUMNS="200").stdout
    assert ("No alert is raised" in said) is not is_beyond
    for name, state in states.items():
        assert re.search(rf"{name}( of \S+)?[ │]+{state} ", said), name
    write_page(copy, tmp_path / "report.html")
    with opened(browser, tmp_path / "report.html") as page:
        opened_sections(page)
        raised = page.locator("#raised .alert").count()
        assert raised == len(found["raised"])
        for panel in itertools.chain.from_iterable(SECTIONS.values()):
            if panel.judged_by:
                # Legends show as much of each.
                amber, blue = pixels_of(page, panel.name, AMBER_TINT, BLUE)
                assert (amber > blue) is is_beyond, panel.name
                assert amber != blue


def with_executions(reports: dict[str, Any]) -> dict[str, Any]:
    """An empty database's reports, of a page that is drawn nevertheless."""
    reports["age"] |= {"total_executions": [50]}
    return reports


@pytest.mark.slow
def test_alerts_are_cards_only_where_they_are_raised(
    browser: Browser, empty_database: Path, tmp_path: Path
) -> None:
    reports = with_executions(read_reports(empty_database))
    states = reports["alerts"]
    file = tmp_path / "report.html"
    for state in ("ok", "warning", "critical", "always so", "unknown"):
        is_raised = state in ("warning", "critical")
        for at in range(len(states["state"])):
            states["state"][at], states["is_raised"][at] = state, is_raised
            states["message"][at] = HOSTILE[1]
        file.write_text(render(reports), encoding="utf-8")
        with opened(browser, file) as page:
            opened_sections(page)
            assert page.locator("#raised .alert").count() == is_raised * len(states["state"])
            said = page.locator("#panel-alerts .sentence").inner_text()
            assert ("raised:" in said) == is_raised
            assert ("Always so" in said) == (state == "always so")


@pytest.mark.parametrize(
    ("say", "said"),
    [
        ("better", "better: +2.0 points (+1 to +3) from 70.0 %"),
        ("worse", "worse: +2.0 points (+1 to +3) from 70.0 %"),
        ("unclear", "no clear change: +2.0 points (+1 to +3) from 70.0 %"),
        ("too few", "from 70.0 %: too few to compare"),
        (None, "nothing before to compare with"),
    ],
)
def test_a_tile_says_what_changed_by_the_intervals_say(
    browser: Browser, empty_database: Path, tmp_path: Path, say: str | None, said: str
) -> None:
    reports = with_executions(read_reports(empty_database))
    chosen = {"time_range": "7d", "repo_place": 0, "model_tier_place": 0, "pool_type_place": 0}
    row = dict.fromkeys(reports["figures"], 50) | chosen | {
        "success_rate": 0.72, "success_rate_lower": 0.6, "success_rate_upper": 0.8,
        "has_enough_samples": True,
    }  # fmt: skip
    reports["figures"] = {name: [value] for name, value in row.items()}
    change = dict.fromkeys(reports["tile_changes"]) | chosen | {
        "success_rate_before": None if say is None else 0.7, "success_rate_change": 0.02,
        "success_rate_change_lower": 0.01, "success_rate_change_upper": 0.03,
        "success_rate_say": say, "total_executions_before": 40, "total_executions_growth": 0.25,
    }  # fmt: skip
    reports["tile_changes"] = {name: [value] for name, value in change.items()}
    file = tmp_path / "report.html"
    file.write_text(render(reports), encoding="utf-8")
    with opened(browser, file) as page:
        tile = page.locator("#tile-success")
        assert tile.locator(".since").inner_text() == said
        judged = say if say in ("better", "worse", "unclear") else ""
        assert tile.get_attribute("data-say") == judged
        colours = page.evaluate(
            "['success', 'executions'].map((name) => getComputedStyle("
            "document.querySelector(`#tile-${name}`)).borderTopColor)"
        )
        assert (colours[0] != colours[1]) == (say in ("better", "worse"))
        assert page.locator("#tile-executions .since").inner_text() == "+25.0 % from 40"


def test_the_page_writes_figures_as_commands_do(browser: Browser, page_file: Path) -> None:
    values = [0, 1, 0.0004, 0.004, 0.01234, 0.27, 0.5003, 0.9996, 1.234, 9.94, 9.96, 42.1, 99.99,
              100.2, 119.6, 1234.6, 7171, 98765.4, 171001, 2.5e6]  # fmt: skip
    with opened(browser, page_file) as page:
        written = page.evaluate("(all) => all.map((v) => [money(v), duration(v), rate(v)])", values)
        counted = page.evaluate("[0, 1, 1324].map((n) => count(n, 'success', 'successes'))")
    for value, found in zip(values, written, strict=True):
        expected = [formats.money(value), formats.duration(value)]
        assert found[:2] == expected
        if value <= 1:
            assert found[2] == formats.rate(value)
    assert counted == [formats.count(n, "success", "successes") for n in (0, 1, 1324)]


def test_the_first_screen_says_what_to_change(
    browser: Browser, page_file: Path, database: Path
) -> None:
    with connect(database, read_only=True) as connection:
        rows = connection.execute(
            "select is_change, sentence from rpt_what_to_change order by place"
        ).fetchall()
    changes = [visible(sentence) for is_change, sentence in rows if is_change]
    silent = [sentence for is_change, sentence in rows if not is_change]
    with opened(browser, page_file) as page:
        first = page.locator("#changes-first .change").all_inner_texts()
        assert first == [text.strip() for text in changes[:5]]
        assert page.locator("#changes-rest .change").all_text_contents() == changes[5:]
        told = page.locator("#changes-silent li").all_text_contents()
        assert [text.split(" It takes: ")[0] for text in told] == silent
        tops = page.evaluate(
            "['changes', 'tiles', 'section-success']"
            ".map((id) => document.getElementById(id).getBoundingClientRect().top)"
        )
        assert tops == sorted(tops)


def test_the_address_keeps_what_is_chosen(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file) as page:
        choose(page, "30d", repo="web", model_tier="small")
        page.locator("#theme").click()
        page.locator("#section-cost > summary").click()
        expect(page).to_have_url(re.compile("open=cost"))
        drawn(page)
        address = page.url
        seen = page.locator("body").inner_text()
        dark = page.locator("html").get_attribute("data-theme")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address)
    drawn(page)
    assert page.locator("body").inner_text() == seen
    assert page.locator("html").get_attribute("data-theme") == dark
    assert page.url.endswith("#range=30d&repo=web&model_tier=small&theme=dark&open=cost")
    assert page.locator("#repo option:checked").inner_text() == "web"
    page.evaluate("location.hash = '#range=nonsense&repo=</script>&open=a,b'")
    expect(page.locator("#repo")).to_have_value("0")
    context.close()


@pytest.mark.slow
def test_a_bar_leads_to_its_executions(browser: Browser, page_file: Path, database: Path) -> None:
    with connect(database, read_only=True) as connection:
        found = connection.execute(
            "select strftime(timestamp, '%Y-%m-%d %H:%M') from fct_executions "
            "where model_tier = 'small' and repo = 'web' and timestamp between "
            "?::timestamp - interval 30 day and ?::timestamp order by timestamp desc",
            [NOON, NOON],
        ).fetchall()
    with opened(browser, page_file) as page:
        opened_sections(page)
        choose(page, "30d", repo="web")
        row = page.locator("#panel-success_by_tier tbody tr", has_text="small")
        page.locator("#panel-success_by_tier summary").click()
        row.locator("button").click()
        dialog = page.locator("#executions")
        assert dialog.locator("h3").inner_text() == "web · small · the last 30 days"
        times = dialog.locator("#executions-rows td:first-child").all_inner_texts()
        assert 0 < len(times) <= 100
        assert set(times) <= {text for (text,) in found}
        assert times[0] == found[0][0]
        assert f"of {len(found)}" in dialog.inner_text() or len(times) == len(found)
        tiers = dialog.locator("#executions-rows td:nth-child(3)").all_inner_texts()
        assert set(tiers) == {"small"}
        page.locator("#executions-close").click()
        canvas = page.locator("#panel-success_by_tier canvas")
        canvas.click(position={"x": 150, "y": 50})
        assert "the last 30 days" in dialog.locator("h3").inner_text()


@pytest.mark.slow
def test_latest_failures_lead_to_the_executions_of_their_task(
    browser: Browser, page_file: Path, database: Path
) -> None:
    with connect(database, read_only=True) as connection:
        newest = connection.execute(
            "select strftime(timestamp, '%Y-%m-%d %H:%M') from fct_executions where not success "
            "and timestamp between ?::timestamp - interval 30 day and ?::timestamp "
            "order by timestamp desc limit 20",
            [NOON, NOON],
        ).fetchall()
    with opened(browser, page_file) as page:
        opened_sections(page)
        choose(page, "30d")
        rows = table(page, "failures")
        assert [row[0] for row in rows] == [text for (text,) in newest]
        page.locator("#panel-failures tbody button").first.click()
        dialog = page.locator("#executions")
        assert dialog.locator("#executions-tiers tbody tr").count() >= 1
        assert dialog.locator("#executions-rows tbody tr").count() >= 1
        assert page.evaluate("window.hacked") is None


def test_what_is_not_recorded_is_one_line_that_says_how(
    browser: Browser, empty_database: Path, tmp_path: Path
) -> None:
    reports = with_executions(read_reports(empty_database))
    file = tmp_path / "report.html"
    file.write_text(render(reports), encoding="utf-8")
    with opened(browser, file) as page:
        opened_sections(page)
        absent = page.locator("#section-quality .absent").inner_text()
        assert "Quality bands, Quality by model tier" in absent
        assert "no quality_score: score results by a check or a reviewer, 0 to 100" in absent
        assert page.locator("#section-quality .panel:visible").count() == 0


def test_a_panel_of_one_category_is_a_sentence(
    browser: Browser, empty_database: Path, tmp_path: Path
) -> None:
    reports = with_executions(read_reports(empty_database))
    row = dict.fromkeys(reports["figures"], 50) | {
        "time_range": "7d", "repo_place": 0, "model_tier_place": 1, "pool_type_place": 0,
        "success_rate": 0.5, "success_rate_lower": 0.4, "success_rate_upper": 0.6,
        "has_enough_samples": True,
    }  # fmt: skip
    reports["figures"] = {name: [value] for name, value in row.items()}
    reports["choices"] = {"column_name": ["model_tier"], "place": [1], "choice": ["small"]}
    file = tmp_path / "report.html"
    file.write_text(render(reports), encoding="utf-8")
    with opened(browser, file) as page:
        opened_sections(page)
        panel = page.locator("#panel-success_by_tier")
        assert panel.locator(".sentence").inner_text() == "Small only: success rate 50.0 %."
        assert panel.locator(".chart").is_hidden()


def test_a_sentence_names_no_part_of_a_bucket_and_no_few_samples(
    browser: Browser, empty_database: Path, tmp_path: Path
) -> None:
    """Today's single failure, and yesterday's single success, are neither lowest nor highest."""
    reports = read_reports(empty_database)
    days = [NOON.timestamp() * 1000 - n * 86_400_000 for n in range(4)]
    reports["error_days"] |= {name: [0] * 4 for name in reports["error_days"]} | {
        "bucket_start": days,
        "bucket_length": ["day"] * 4,
        "is_complete": [False, True, True, True],
        "total_executions": [20, 1, 20, 30],
        "error_rate": [1.0, 0.0, 0.4, 0.2],
        "has_enough_samples": [True, False, True, True],
    }
    reports["cost_days"] |= {name: [0] * 4 for name in reports["cost_days"]} | {
        "bucket_start": days,
        "is_complete": [False, True, True, True],
        "total_executions": [1, 1, 20, 30],
        "total_cost": [0.01, 0.02, 3.0, 2.0],
        "cost_known_count": [1, 1, 19, 30],
    }
    file = tmp_path / "report.html"
    file.write_text(render(reports), encoding="utf-8")
    with_executions(reports)
    file.write_text(render(reports), encoding="utf-8")
    with opened(browser, file) as page:
        opened_sections(page)
        errors = page.locator("#panel-error_rate_by_day .sentence").inner_text()
        costs = page.locator("#panel-cost_trend .sentence").inner_text()
        assert table(page, "error_rate_by_day")[0][0].endswith("(part)")
    assert errors == "Most failed on 2026-03-29 (40.0 %), fewest on 2026-03-28 (20.0 %)."
    assert (
        "dearest day was 2026-03-29 ($3.00 of 19), the cheapest 2026-03-30 ($0.02 of 1?)" in costs
    )


def test_a_mean_cost_or_percentile_of_a_panel_says_over_how_many(empty_database: Path) -> None:
    """By its column, which its report has, as far as the report is one of figures."""
    reports = read_reports(empty_database)
    figure = r"(avg|median|p\d\d)_.*|.*_cost|cost_(per|change)_.*|.*like_for_like_rate"
    checked = 0
    for panel in itertools.chain.from_iterable(SECTIONS.values()):
        for column in panel.columns:
            of_one = column.figure in ("cost_change_pct", "actual_cost")
            if re.fullmatch(figure, column.figure) and not of_one:
                shown = reports[panel.report]
                has_no_rows = shown == {"sentence": []}
                assert column.known, (panel.name, column.figure)
                assert column.known in shown or has_no_rows, (panel.name, column.figure)
                checked += 1
    assert checked > 35


def test_times_that_were_assigned_are_said_over_time(
    browser: Browser, empty_database: Path, tmp_path: Path
) -> None:
    reports = read_reports(empty_database)
    reports["age"] |= {"total_executions": [3000], "assigned_time_count": [1234]}
    days = [NOON.timestamp() * 1000 - n * 86_400_000 for n in range(2)]
    reports["cost_days"] |= {name: [1] * 2 for name in reports["cost_days"]} | {
        "bucket_start": days
    }
    pair = {"time_range": "7d", "dimension": "pool", "name": "a", "other_name": "b"}
    figures = dict.fromkeys(reports["like_for_like"], 0.4) | pair
    reports["like_for_like"] = {name: [value] for name, value in figures.items()}
    file = tmp_path / "report.html"
    file.write_text(render(reports), encoding="utf-8")
    said = "The times of 1,234 of 3,000 executions were assigned, not recorded."
    with opened(browser, file) as page:
        opened_sections(page)
        assert said in page.locator("#age").inner_text()
        said = "Some times were assigned, not recorded."
        assert said in page.locator("#panel-cost_trend .sentence").inner_text()
        assert said not in page.locator("#panel-like_for_like .sentence").inner_text()
        assert table(page, "like_for_like")[0][:2] == ["a", "b"]


def test_it_is_dark_where_the_reader_is_and_at_a_press(browser: Browser, page_file: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, page_file, color_scheme="dark") as page:
        dark = page.evaluate(ground)
        page.locator("#theme").click()
        drawn(page)
        light = page.evaluate(ground)
    with opened(browser, page_file, color_scheme="light") as page:
        assert page.evaluate(ground) == light != dark
        page.locator("#theme").click()
        drawn(page)
        assert page.evaluate(ground) == dark


@pytest.mark.slow
def test_a_phone_never_scrolls_sideways(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file, width=390, has_touch=True) as page:
        assert page.evaluate("document.documentElement.scrollHeight") <= 6 * 844  # while folded
    with opened(browser, page_file, width=375, has_touch=True) as page:
        opened_sections(page)
        choose(page, "90d")
        for details in page.locator("details").all():
            if details.is_visible():
                details.evaluate("(each) => { each.open = true; }")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        wide = page.evaluate(
            "[...document.querySelectorAll('body *')].filter((each) => !each.closest('.scroll') "
            "&& each.getBoundingClientRect().right > 375.5).map((each) => each.outerHTML)"
        )
        assert wide == []


@pytest.mark.slow
def test_the_browsers_time_zone_has_no_say(browser: Browser, page_file: Path) -> None:
    seen = []
    for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles"):
        with opened(browser, page_file, timezone_id=zone) as page:
            opened_sections(page)
            choose(page, "24h")
            canvases = page.evaluate(
                "[...document.querySelectorAll('canvas')].map((each) => each.toDataURL())"
            )
            seen.append((page.locator("body").inner_text(), canvases))
    assert seen[0] == seen[1] == seen[2]
    assert f"As of {NOON:%Y-%m-%d %H:%M} UTC" in seen[0][0]


@pytest.mark.slow
def test_the_file_is_the_same_in_every_time_zone(database: Path, tmp_path: Path) -> None:
    contents = set()
    for zone in ("Asia/Tokyo", "America/Los_Angeles"):
        file = tmp_path / f"{zone.replace('/', '-')}.html"
        outcome = orb("report", "--output", str(file), TZ=zone, ORB_DATABASE=str(database))
        assert outcome.returncode == 0, outcome.stderr
        assert str(file) in outcome.stdout
        contents.add(file.read_bytes())
    assert len(contents) == 1  # of two


def orb(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from orb_learning.cli import app; app()", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_texts_stand_nowhere_in_the_file_as_markup(page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    assert "window.hacked" not in text
    assert text.count("<script") == text.count("</script>") == 3
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "unsafe" not in policy[1]


def test_an_empty_database_says_what_to_do(
    browser: Browser, empty_database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    write_page(empty_database, file)
    with opened(browser, file) as page:
        card = page.locator("#begin")
        assert card.locator("li").count() == 3
        for command in ("orb sample", "orb build", "orb report"):
            assert command in card.inner_text()
        for rest in ("#content", "#controls", "#notice"):
            assert page.locator(rest).is_hidden()


def test_a_database_that_was_never_built_says_to_build(tmp_path: Path) -> None:
    file = tmp_path / f"{STEM}.db"
    with connect(file):
        pass
    with pytest.raises(NotBuiltError, match="orb build"):
        write_page(file, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
    outcome = orb("report", ORB_DATABASE=str(file))
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("error: ")
    assert "Traceback" not in outcome.stderr


def test_a_page_that_cannot_be_written_leaves_the_old_one(
    empty_database: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "report.html"
    folder.mkdir()
    with pytest.raises(PageError, match="--output"):
        write_page(empty_database, folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_full_disk_leaves_the_old_one_and_no_other(
    empty_database: Path, small_disk: Callable[[str], Path]
) -> None:
    file = small_disk("512k") / "report.html"
    file.write_text("the old one")
    with pytest.raises(PageError, match="No space left on device"):
        write_page(empty_database, file)
    assert list(file.parent.iterdir()) == [file]
    assert file.read_text() == "the old one"


def test_without_a_browser_the_tests_say_so_loudly(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", __file__,
         "-k", "test_it_is_dark"],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"did NOT run: {NO_BROWSER}" in outcome.stdout, outcome.stdout + outcome.stderr


@pytest.mark.parametrize(
    ("apt_get", "is_tested"),
    [("exit 100", False), ("exit 0", False), ('> "$(dirname "$0")/chromium"; chmod +x $_', True)],
)
def test_ci_tests_with_a_browser_or_fails(tmp_path: Path, apt_get: str, is_tested: bool) -> None:
    """Where apt-get fails, installs nothing, and installs one."""
    tools, script = tmp_path / "bin", tmp_path / ".ci/run"
    tools.mkdir()
    script.parent.mkdir()
    shutil.copy(REPOSITORY / ".ci/run", script)
    for name in ("bash", "dirname", "chmod"):
        (tools / name).symlink_to(str(shutil.which(name)))
    for name, lines in {"id": "echo 0", "apt-get": apt_get, "make": "echo made $1"}.items():
        (tools / name).write_text(f"#!{tools / 'bash'}\n{lines}\n")
        (tools / name).chmod(0o755)
    outcome = subprocess.run(
        [tools / "bash", script],
        env={"PATH": str(tools)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome.stdout == ("made test\nmade test-slow\nmade test-lake\n" if is_tested else "")
    assert (outcome.returncode == 0) == is_tested
    assert ("Install Debian's chromium" in outcome.stderr) != is_tested
