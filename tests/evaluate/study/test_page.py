"""The study's page in a browser, as a rater uses it."""

import shutil
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


def test_a_rater_goes_through_a_study(server, tmp_path: Path) -> None:
    complaints: list[str] = []
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(server.url)
        expect = playwright.expect
        expect(page.locator("#question")).to_have_text("Which one?")
        for number in range(1, 10):
            expect(page.locator("#place")).to_have_text(f"{number} of 9")
            expect(page.locator("[data-choice=left]")).to_be_enabled(timeout=20_000)
            if number == 4:  # a rater who reloads goes on where they were
                page.reload()
                expect(page.locator("#place")).to_have_text("4 of 9")
                expect(page.locator("[data-choice=left]")).to_be_enabled(timeout=20_000)
                page.screenshot(path=tmp_path / "desktop.png")
            if number % 3 == 0:
                page.keyboard.press("ArrowRight")
            else:
                page.locator(f"[data-choice={'left' if number % 3 == 1 else 'neither'}]").click()
        expect(page.locator("#message")).to_have_text("That was all. Thank you.")
        expect(page.locator("#pair")).to_be_hidden()
        browser.close()
    choices = sorted(answer.choice for answer in server.answers.all())
    assert choices == ["left"] * 3 + ["neither"] * 3 + ["right"] * 3
    assert not complaints


#: No listener hears that a video has loaded.
SILENCE = """for (const name of ["loadeddata", "canplaythrough"])
    addEventListener(name, (event) => event.stopImmediatePropagation(), true);"""


def test_videos_that_load_only_when_they_play_can_be_rated(server) -> None:
    """As on a phone that saves data."""
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_init_script(SILENCE)
        page.goto(server.url)
        left = page.locator("[data-choice=left]")
        playwright.expect(left).to_be_enabled(timeout=20_000)
        while page.locator("#left video").count() == 0:
            before = page.locator("#place").inner_text()
            left.click()
            playwright.expect(page.locator("#place")).not_to_have_text(before)
            playwright.expect(left).to_be_enabled(timeout=20_000)
        browser.close()
