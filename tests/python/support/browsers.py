"""The browsers that can draw the page, of which the tests need one."""

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
NO_BROWSER = f"none of {', '.join(BROWSERS)} is installed"
