"""The picture of the page in the README: `python docs/picture.py`, of the database as it is built.

It takes `make build`, whose database holds the sample, and a browser.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from orb_learning.page import write_page
from orb_learning.settings import load_settings

PICTURE = Path(__file__).with_name("page.png")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1280, 850


def take(database: Path, picture: Path) -> None:
    """Write the page of a database, and take its first screen as the reader sees it."""
    browser_file = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_file is None:
        sys.exit(f"a browser is needed: {', '.join(BROWSERS)}")
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "report.html"
        write_page(database, page_file)
        browser = playwright.chromium.launch(executable_path=browser_file, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"{page_file.as_uri()}#range=30d")
        page.wait_for_selector("body[data-drawn]")
        page.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    take(load_settings().database_path, PICTURE)
