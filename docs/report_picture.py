"""Photographs a report in a browser: ``python -m docs.report_picture data/report.html docs/report.png``."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from audiocrawler.rendering.chromium import find_chromium

VIEWPORT = {"width": 1280, "height": 1160}


def main() -> None:
    """Open the page, choose the second codec, play a file, and photograph charts and table."""
    page_path, picture_path = Path(sys.argv[1]).absolute(), sys.argv[2]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(None), args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEWPORT, color_scheme="light")  # type: ignore[arg-type]
        page.goto(page_path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        page.locator(".values.codec li button").nth(1).click()
        page.locator(".row .play button").nth(1).click()
        page.mouse.move(0, 0)
        page.wait_for_timeout(1500)
        page.evaluate("document.getElementById('charts').scrollIntoView()")
        page.evaluate("scrollBy(0, -24)")
        page.wait_for_timeout(300)
        page.screenshot(path=picture_path)
        browser.close()


if __name__ == "__main__":
    main()
