"""The page, driven by a browser as users drive it."""

import re
import shlex
import shutil
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import make_shot
import numpy as np
import pytest

from vidstyle.models import weights
from vidstyle.ui.frames import frame_of

sync_api = pytest.importorskip("playwright.sync_api")
pytest.importorskip("gradio")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 60_000  # milliseconds

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def address(
    served, tiny_model, style_picture, other_style_picture, tmp_path_factory
) -> Iterator[str]:
    styles = tmp_path_factory.mktemp("styles")
    for picture in (style_picture, other_style_picture):
        shutil.copy(picture, styles)
    for number in range(4):
        shutil.copy(style_picture, styles / f"too_long_a_name_to_stand_on_one_line_{number}.png")
    limits = ["--max-frames", 100, "--max-upload", 1]
    with served("--model", tiny_model, "--device", "cpu", "--styles", styles, *limits) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *camera]
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address: str) -> Iterator[Callable[..., "sync_api.Page"]]:
    """Opens the page as another user; what it fetches from elsewhere fails the test."""
    contexts, elsewhere = [], []

    def open_page(width: int = 1280, height: int = 1000):
        context = browser.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda sent: elsewhere.append(sent.url))
        page.goto(address)
        page.wait_for_selector("#clip input[type=file]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in elsewhere if not url.startswith((address, "data:", "blob:"))] == []


def upload(page, clip: Path) -> None:
    page.set_input_files("#clip input[type=file]", clip)
    page.wait_for_selector("#picture img")


def choose(page, kind: str) -> None:
    page.locator("#kind").get_by_label(kind, exact=True).check()


def click_at(page, x: float, y: float) -> None:
    """Click on the picture, at fractions of its sides; returns when the mark is drawn."""
    image = page.locator("#picture img")
    # A click on a picture that is not loaded yet is on none.
    page.wait_for_function(
        """() => {
            const shown = document.querySelector('#picture img');
            return shown && shown.complete && shown.naturalWidth > 0;
        }"""
    )
    before = image.get_attribute("src")
    box = image.bounding_box()
    image.click(position={"x": x * box["width"], "y": y * box["height"]})
    page.wait_for_function(
        """before => {
            const shown = document.querySelector('#picture img');
            return shown && shown.src != before && shown.complete && shown.naturalWidth > 0;
        }""",
        arg=before,
    )


def pick_style(page, number: int) -> None:
    page.locator("#gallery .grid-container button").nth(number).click()
    page.wait_for_selector("#gallery .selected")


def until_ready(page) -> None:
    """Returns when the server has taken all that was chosen, and nothing is missing."""
    page.wait_for_function("() => !document.querySelector('#part').disabled")


def preview(page) -> str:
    """The command line that the preview tells."""
    page.locator("#preview").click()
    try:
        page.wait_for_selector("#slider img")
    except sync_api.TimeoutError:
        pytest.fail(f"no preview came; the page says: {page.locator('body').inner_text()}")
    page.wait_for_function(
        "() => document.querySelector('#command')?.innerText.includes('vidstyle render')"
    )
    return " ".join(page.locator("#command .cm-content").inner_text().split())


def test_from_a_clip_to_a_download(visit, shot, tmp_path) -> None:
    page = visit()
    upload(page, shot.clip)
    choose(page, "box")
    page.wait_for_selector("#again")
    click_at(page, 0.2, 0.2)
    click_at(page, 0.4, 0.95)
    pick_style(page, 0)
    command = preview(page)
    assert re.search(r"--object box:3\d,\d+,6\d,\d+@0 --style coffee.png", command), command
    page.wait_for_selector("#matte img")
    handle = page.locator("#slider .inner").first
    assert handle.is_visible()
    page.locator("#last input").fill("5")
    page.locator("#part").click()
    page.wait_for_selector("#files a")
    page.wait_for_selector("#result video", state="attached")
    assert re.match(r"Done: 6 frames in \d+:\d\d, shot", page.locator("#state").inner_text())
    with page.expect_download() as download:
        page.locator("#files a").filter(has_text=re.compile("↓|KB|B")).first.click()
    saved = tmp_path / "result.mp4"
    download.value.save_as(saved)
    with av.open(str(saved)) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == 6


def test_a_painted_frame_and_where_to_look(visit, shot, tmp_path) -> None:
    page = visit()
    upload(page, shot.clip)
    choose(page, "box")
    page.get_by_text("Next: choose a style picture").wait_for()
    page.get_by_text("Painted frames").click()
    painting = tmp_path / "hero.png"
    cv2.imwrite(str(painting), np.full((*shot.size, 3), 90, np.uint8))
    with page.expect_file_chooser() as chooser:
        page.locator("#key").click()
    chooser.value.set_files(painting)
    page.locator("#painted").get_by_text("frame 0: hero.0000.png").wait_for()
    click_at(page, 0.2, 0.2)
    click_at(page, 0.4, 0.95)
    page.get_by_text("Ready. To preview, choose a style picture").wait_for()
    assert page.locator("#preview").is_disabled()
    page.locator("#last input").fill("3")
    page.locator("#part").click()
    strip = page.locator("#confidence img")
    strip.wait_for()
    assert "--key hero.0000.png@0" in page.locator("#command .cm-content").inner_text()
    box = strip.bounding_box()
    strip.click(position={"x": 0.9 * box["width"], "y": box["height"] / 2})
    page.wait_for_function("() => document.querySelector('#frame input').value == '3'")


def boxed_and_styled(page, clip: Path) -> None:
    upload(page, clip)
    choose(page, "box")
    page.get_by_text("Next: choose a style picture").wait_for()
    click_at(page, 0.2, 0.2)
    click_at(page, 0.4, 0.95)
    pick_style(page, 0)
    until_ready(page)


def render_to(page, last: int) -> None:
    """Render from the first frame to another."""
    before = page.locator("#renders label").count()
    page.locator("#last input").fill(str(last))
    page.locator("#part").click()
    page.wait_for_function(
        "before => document.querySelectorAll('#renders label').length > before", arg=before
    )
    page.get_by_text(f"Done: {last + 1} frames").wait_for()


def sides(page, slider: str) -> list[np.ndarray]:
    """The pictures of a slider, left and right, (H, W, 3) BGR."""
    page.wait_for_function(
        """slider => {
            const shown = [...document.querySelectorAll(slider + ' img')];
            return shown.length && shown.every(each => each.complete && each.naturalWidth > 0);
        }""",
        arg=slider,
    )
    sources = page.locator(f"{slider} img").evaluate_all("all => all.map(each => each.src)")
    files = [page.request.get(url).body() for url in dict.fromkeys(sources)]
    return [cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR) for file in files]


def until_changed(page, slider: str, before: str) -> None:
    page.wait_for_function(
        "([slider, before]) => document.querySelector(slider + ' img')?.src != before",
        arg=[slider, before],
    )


def test_a_result_is_scrubbed_against_the_plate(visit, shot) -> None:
    page = visit()
    boxed_and_styled(page, shot.clip)
    render_to(page, 5)
    plates = [frame_of(shot.clip, index)[..., ::-1] for index in (0, 5)]
    plate, result = sides(page, "#wipe")
    assert np.abs(plate.astype(int) - plates[0]).mean() < 4
    inside = shot.matte(0) > 200
    assert np.abs(result.astype(int) - plate)[inside].mean() > 8
    before = page.locator("#wipe img").first.get_attribute("src")
    page.locator("#scrub input[type=range]").press("End")  # by the keyboard alone
    until_changed(page, "#wipe", before)
    assert np.abs(sides(page, "#wipe")[0].astype(int) - plates[1]).mean() < 4


def test_renders_are_kept_until_they_are_removed(visit, shot, tmp_path) -> None:
    other = shutil.copy(shot.clip, tmp_path / "other.mp4")
    page = visit()
    boxed_and_styled(page, shot.clip)
    render_to(page, 1)
    page.locator("#clip").get_by_label("Clear").click()
    upload(page, other)
    page.get_by_text("Next: click on two opposite corners").wait_for()
    click_at(page, 0.2, 0.2)
    click_at(page, 0.4, 0.95)
    until_ready(page)
    render_to(page, 2)
    renders = page.locator("#renders label")
    assert re.match(r"2 · other\.mp4 0-2 · box:\d.* in the style of coffee", told(renders.first))
    assert re.match(r"1 · shot\.mp4 0-1 · ", told(renders.last))
    assert "2 renders, kept until you reload the page" in page.locator("#renders").inner_text()
    film = page.locator("#result video").get_attribute("src")
    renders.last.click()
    page.wait_for_function(
        "before => document.querySelector('#result video').src != before", arg=film
    )
    assert "render shot.mp4" in page.locator("#command .cm-content").inner_text()
    page.locator("#remove").click()
    page.wait_for_function("() => document.querySelectorAll('#renders label').length == 1")
    assert "render other.mp4" in page.locator("#command .cm-content").inner_text()
    page.locator("#remove").click()
    page.locator("#made").wait_for(state="hidden")


def told(locator) -> str:
    return " ".join(locator.inner_text().split())


def test_all_of_a_render_is_downloaded_at_once(
    visit, shot, vidstyle, monkeypatch, tmp_path
) -> None:
    page = visit()
    boxed_and_styled(page, shot.clip)
    render_to(page, 1)
    with page.expect_download() as download:
        page.locator("#pack").click()
    assert download.value.suggested_filename == "shot.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    line = " ".join(page.locator("#command .cm-content").inner_text().split())
    assert (tmp_path / "render.sh").read_text().endswith(f"{line}\n")
    assert vidstyle(*shlex.split(line)[1:]).code == 0
    again, before = (Path(name) for name in ("shot.styled.mp4", "result/shot.styled.mp4"))
    assert again.read_bytes() == before.read_bytes()


def test_two_styles_side_by_side(visit, shot) -> None:
    page = visit()
    boxed_and_styled(page, shot.clip)
    preview(page)
    first = sides(page, "#slider")[1]
    assert page.locator("#versus").is_disabled()
    page.locator("#hold").click()
    page.get_by_text("A is coffee").wait_for()
    page.locator("#gallery .grid-container button").nth(1).click()
    page.wait_for_function("() => !document.querySelector('#versus').disabled")
    before = page.locator("#slider img").first.get_attribute("src")
    page.locator("#versus").click()
    until_changed(page, "#slider", before)
    page.get_by_text("Left: A (coffee); right: B (stars)").wait_for()
    a, b = sides(page, "#slider")
    assert (a == first).all()
    assert np.abs(a.astype(int) - b).mean() > 1
    assert "--style stars.png" in page.locator("#command .cm-content").inner_text()


def test_a_click_is_undone_and_another_says_what_is_not_the_object(visit, shot) -> None:
    page = visit()
    upload(page, shot.clip)
    pick_style(page, 0)
    choose(page, "click")
    page.get_by_text("Next: click on the object").wait_for()
    click_at(page, 0.3, 0.6)
    until_ready(page)
    page.locator("#undo").click()
    page.get_by_text("Next: click on the object").wait_for()
    click_at(page, 0.3, 0.6)
    page.locator("#sign").get_by_label("not the object").check()
    click_at(page, 0.8, 0.2)
    until_ready(page)
    assert re.search(r"--object point:\d+,\d+@0\+-point:\d+,\d+@0 ", preview(page))


@pytest.mark.weights
def test_what_is_there_can_be_clicked_on(visit, tmp_path) -> None:
    if weights.find("yolov3-tiny") is None:
        pytest.skip("no detector; run `vidstyle models fetch`")
    clip = tmp_path / "walk.mp4"
    make_shot.write_shot(clip, count=10)
    page = visit()
    upload(page, clip)
    pick_style(page, 0)
    choose(page, "name")
    page.locator("#search").click()
    page.get_by_text("Found 1 object: click on one").wait_for()
    image = page.locator("#picture img")
    box = image.bounding_box()
    image.click(position={"x": 0.2 * box["width"], "y": 0.6 * box["height"]})
    page.wait_for_function("() => document.querySelector('#name input').value == 'person#1'")
    assert "--object person#1 " in preview(page).replace("'", "")


def shown_live(page, pattern: str) -> None:
    page.wait_for_function(
        "pattern => new RegExp(pattern).test(document.querySelector('#screen')?.innerText)",
        arg=pattern,
    )
    assert page.locator("#screen img").evaluate("image => image.naturalWidth") > 0


def test_the_clip_live(visit, shot) -> None:
    page = visit()
    upload(page, shot.clip)
    pick_style(page, 0)
    until_ready(page)
    page.get_by_role("tab", name="Live").click()
    page.locator("#play").click()
    counted = r"\d+ frames of \d+x\d+ in .* dropped, \d+ before it began"
    shown_live(page, rf"ended: {counted}, latency \d+ ms")


def test_a_camera_live(visit, shot) -> None:
    """Another user's preview waits for it, and comes when it stops."""
    page, other = visit(), visit()
    pick_style(page, 0)
    page.get_by_role("tab", name="Live").click()
    page.get_by_text("Click to Access Webcam").click()
    record = page.locator("#camera .button-wrap button").first
    record.click()
    shown_live(page, r"latency \d+ ms +[\d.]+ fps +\d+ dropped +\d+x\d+")
    upload(other, shot.clip)
    pick_style(other, 1)
    other.locator("#preview").click()
    other.get_by_text("queue").first.wait_for()
    shown_live(page, r"latency")
    assert other.locator("#slider img").count() == 0
    record.click()
    other.wait_for_selector("#slider img")


def test_a_brush_paints_an_object(visit, shot) -> None:
    page = visit()
    upload(page, shot.clip)
    choose(page, "brush")
    canvas = page.locator("#brush canvas").first
    canvas.wait_for()
    page.wait_for_timeout(1500)  # the editor fits its picture in
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.6
    page.mouse.move(x, y - 20)
    page.mouse.down()
    page.mouse.move(x, y + 20, steps=6)
    page.mouse.up()
    pick_style(page, 1)
    assert "--object mask:brush-0.png@0" in preview(page)


def long_clip(folder):
    """A hundred frames, which take a while."""
    path = folder / "long.mp4"
    with av.open(str(path), "w") as clip:
        stream = clip.add_stream("libx264", rate=25, width=640, height=480, pix_fmt="yuv420p")
        for number in range(100):
            picture = np.full((480, 640, 3), number, np.uint8)
            clip.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        clip.mux(stream.encode())
    return path


def test_cancel(visit, tmp_path) -> None:
    page = visit()
    upload(page, long_clip(tmp_path))
    pick_style(page, 0)
    page.locator("#whole").click()
    page.wait_for_function("() => document.querySelector('#state').innerText.length > 2")
    page.locator("#cancel").click()
    page.wait_for_function(
        "() => /cancelled|Done/.test(document.querySelector('#state').innerText)"
    )
    assert "cancelled: nothing was written" in page.locator("#state").inner_text()
    assert page.locator("#files a").count() == 0


def test_a_run_that_waits_for_another_users_can_be_cancelled(visit, shot, tmp_path) -> None:
    busy, page = visit(), visit()
    upload(busy, long_clip(tmp_path))
    pick_style(busy, 0)
    busy.locator("#whole").click()
    busy.get_by_text(re.compile(r"\d+/100")).wait_for()
    upload(page, shot.clip)
    pick_style(page, 0)
    page.get_by_text("Ready.").wait_for()
    page.locator("#whole").click()
    page.get_by_text("waiting for its turn").wait_for()
    assert all(page.locator(button).is_disabled() for button in BUTTONS)
    page.locator("#cancel").click()
    page.get_by_text("cancelled: nothing was written").wait_for()
    page.locator("#whole").click()  # the first one's turn is still to come
    page.get_by_text("waiting for its turn").wait_for()
    busy.locator("#cancel").click()
    page.get_by_text(re.compile("^Done")).wait_for()
    assert page.locator("#renders label").count() == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("words"), "text, not a video"),
        (lambda path: path.write_bytes(bytes(2 * 2**20)), "size"),
    ],
)
def test_a_wrong_file(visit, tmp_path, make, message) -> None:
    page = visit()
    wrong = tmp_path / "wrong.mp4"
    make(wrong)
    page.set_input_files("#clip input[type=file]", wrong)
    page.get_by_text(re.compile(message)).first.wait_for()
    assert page.locator("#picture img").count() == 0


def test_what_was_uploaded_goes_with_its_user(served, tiny_model, shot, browser, tmp_path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # Gradio then keeps what belongs to a closed page for a second, not an hour.
    soon = {"GRADIO_IS_E2E_TEST": "1"}
    with served("--model", tiny_model, TMPDIR=str(temporary), **soon) as address:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("#clip input[type=file]", state="attached")
        upload(page, shot.clip)
        (clip,) = temporary.rglob("shot.mp4")  # at the desk alone
        page.close()
        until = time.monotonic() + PATIENCE / 1000
        while clip.exists() and time.monotonic() < until:
            time.sleep(0.1)
        assert not list(temporary.rglob("shot.mp4"))


BUTTONS = ("#preview", "#part", "#whole")


def test_buttons_can_be_pressed_when_nothing_is_missing(visit, shot) -> None:
    page = visit()
    page.get_by_text("Next: upload a clip").wait_for()
    assert all(page.locator(button).is_disabled() for button in (*BUTTONS, "#cancel"))
    upload(page, shot.clip)
    page.get_by_text("Next: choose a style picture").wait_for()
    pick_style(page, 0)
    page.get_by_text("Ready.").wait_for()
    assert all(page.locator(button).is_enabled() for button in BUTTONS)
    assert page.locator("#cancel").is_disabled()
    choose(page, "click")
    page.get_by_text("Next: click on the object").wait_for()
    assert all(page.locator(button).is_disabled() for button in BUTTONS)


def test_trouble_is_told_in_one_place_until_it_is_mended(visit, shot) -> None:
    page = visit()
    upload(page, shot.clip)
    pick_style(page, 0)
    choose(page, "name")
    page.locator("#name input").fill("mask:/etc/hostname")
    page.locator("#name input").press("Enter")
    page.get_by_text("Next: 'mask:/etc/hostname' is not a name").wait_for()
    choose(page, "box")
    page.get_by_text("Next: click on two opposite corners").wait_for()
    click_at(page, 0.2, 0.2)
    click_at(page, 0.4, 0.95)
    page.locator("#first input").fill("12")
    page.locator("#last input").fill("3")
    page.locator("#part").click()
    page.locator("#trouble").get_by_text("the range is empty").wait_for()
    assert page.get_by_text("Error", exact=True).count() == 0
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    told = page.locator("#trouble p").bounding_box()
    assert 0 <= told["y"] < told["y"] + told["height"] <= 1000
    until_ready(page)
    preview(page)
    assert page.locator("#trouble").inner_text() == ""


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_rendering_is_above_the_fold(visit, width: int, height: int) -> None:
    page = visit(width, height)
    for button in BUTTONS:
        box = page.locator(button).bounding_box()
        assert box["y"] + box["height"] <= height


def test_two_users_at_once(visit, shot, tmp_path) -> None:
    other = tmp_path / "other name.mp4"
    shutil.copy(shot.clip, other)
    one, two = visit(), visit()
    upload(one, shot.clip)
    upload(two, other)
    for number, page in enumerate((one, two)):
        pick_style(page, number)
        page.locator("#preview").click()
    for page in (one, two):
        page.wait_for_selector("#slider img")
    assert "render shot.mp4 --style coffee.png" in preview(one)
    assert "render 'other name.mp4' --style stars.png" in preview(two)


def test_files_of_the_machine_are_not_served(address, shot) -> None:
    for path in (shot.clip, "/etc/hostname", "setup.cfg"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/gradio_api/file={path}")
        assert refused.value.code in (403, 404)
        refused.value.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out(visit, width) -> None:
    page = visit(width, 800)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_password(served, tiny_model) -> None:
    with served("--model", tiny_model, VIDSTYLE_PASSWORD="open sesame") as address:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/config")
        assert refused.value.code == 401
        refused.value.close()


def test_nothing_stays_when_the_server_ends(
    served, tiny_model, style_picture, shot, browser, tmp_path
) -> None:
    """Not even of a render on its way."""
    temporary, styles = tmp_path / "temporary", tmp_path / "styles"
    temporary.mkdir()
    styles.mkdir()
    shutil.copy(style_picture, styles)
    arguments = ("--model", tiny_model, "--device", "cpu", "--styles", styles)
    with served(*arguments, TMPDIR=str(temporary)) as address, browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("#clip input[type=file]", state="attached")
        upload(page, shot.clip)
        pick_style(page, 0)
        page.locator("#whole").click()
        page.wait_for_function("() => document.querySelector('#state').innerText.length > 2")
        assert list(temporary.rglob("shot.mp4"))
    assert list(temporary.iterdir()) == []
