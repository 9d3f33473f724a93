"""The page's live tab, and the actions of its buttons."""

import html
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from vidstyle.errors import VidstyleError
from vidstyle.options import RenderOptions
from vidstyle.ui.choosing import Canvas, paint
from vidstyle.ui.desk import without_folders
from vidstyle.ui.live import RATE, TURN, Picture
from vidstyle.ui.selection import Image
from vidstyle.ui.table import Table

#: See :func:`watch`.
Clock = dict[str, float]

#: Queue of all jobs on the device: one at a time, across all users.
DEVICE = "device"

#: Maximum pixels of a camera's picture; the page requests 640×360.
_CAMERA = 1920 * 1080

# Each camera frame is sent with its number, the time it was sent, and the milliseconds until the
# previous picture was shown; all by the browser's own clock.
_SEND = """() => {
    const live = (window.vidstyleLive ??= { frame: 0, latency: 0 });
    return [{ frame: live.frame++, sent: Date.now(), latency: live.latency }];
}"""
_SHOWN = """(screen) => {
    const sent = Number(/data-sent="([0-9]+)"/.exec(screen)?.[1] ?? 0);
    if (sent > 0) window.vidstyleLive.latency = Date.now() - sent;
    return [];
}"""


def live_tab(
    play: Callable[..., Iterator[tuple[str, str]]],
    watch: Callable[..., str],
    stop: Callable[..., tuple[str]],
    pointed: Sequence[Any],
    look: Sequence[Any],
    trouble: Any,
) -> gr.Button:
    """Lay it out in the current context.

    Args:
        play: shows the clip, given table, what was pointed at, and look.
        watch: shows a frame of the camera, given table, frame, clock and look.
        stop: stops playback, given the table.
        pointed: components: the table, then what was pointed at.
        look: components.
        trouble: receives the first output of ``play`` and ``stop``, the error message.

    Returns:
        The button that plays the clip, initially disabled.
    """
    table = pointed[0]
    gr.Markdown(
        "Shows the chosen object and style live, at the largest size this machine keeps up with. "
        f"A turn lasts at most {TURN} seconds; it and other jobs wait for each other. *Record* "
        "starts the camera, whose frames are kept with the uploads until the server stops."
    )
    with gr.Row():
        begin = gr.Button(
            "Play the clip", variant="primary", min_width=120, interactive=False, elem_id="play"
        )
        end = gr.Button("Stop", variant="stop", min_width=120, elem_id="stop")
    screen = gr.HTML(elem_id="screen", min_height=40)
    camera = gr.Image(
        label="Camera",
        sources=["webcam"],
        streaming=True,
        webcam_options=gr.WebcamOptions(
            mirror=False, constraints={"video": {"width": 640, "height": 360}}
        ),
        height=260,
        buttons=[],
        elem_id="camera",
    )
    clock = gr.JSON({"frame": 0, "sent": 0, "latency": 0}, visible="hidden")
    begin.click(
        play, [*pointed, *look], [trouble, screen], concurrency_limit=1, concurrency_id=DEVICE,
        show_progress="hidden",
    )  # fmt: skip
    end.click(stop, table, [trouble], queue=False)
    camera.stream(None, None, clock, js=_SEND, stream_every=1 / RATE)
    camera.stream(
        watch,
        [table, camera, clock, *look],
        screen,
        stream_every=1 / RATE,
        time_limit=TURN,
        show_progress="hidden",
        concurrency_limit=1,
        concurrency_id=DEVICE,
    )
    screen.change(None, screen, None, js=_SHOWN)
    return begin


def play(table: Table, number: float, canvas: Canvas, options: RenderOptions) -> Iterator[str]:
    """Play the clip live. Yields the screen."""
    desk = table.clip
    paint(table, canvas, number)
    screen = ""
    for seen in desk.play(table.all_wishes(), options):
        if isinstance(seen, Picture):
            screen = _screen(seen)
            yield screen
        else:
            yield f"{screen}<p>ended: {html.escape(str(seen))}</p>"


def watch(table: Table, image: Image | None, clock: Clock, options: RenderOptions) -> str:
    """Restyle a frame of the camera. Returns the screen. Errors are shown below the picture, since
    the next frame comes anyway.

    Args:
        clock: from the browser: ``frame``, its number; ``sent``, the time it was sent;
            ``latency``, how long the previous picture took; times in milliseconds.
    """
    if image is None:
        return ""
    if image.shape[0] * image.shape[1] > _CAMERA:
        return "<p>the camera's picture is too large</p>"
    try:
        wishes = table.all_wishes()
        number, latency = int(clock["frame"]), clock["latency"] / 1000
        seen = table.camera.step(image, number, latency, wishes, options)
    except (VidstyleError, ValueError) as error:
        seen = Picture.of(image, without_folders(" ".join(str(error).split())))
    return _screen(seen, clock["sent"])


def _screen(seen: Picture, sent: float = 0) -> str:
    return (
        f'<img src="{seen.url}" alt="live picture" data-sent="{sent:.0f}">'
        f"<p>{html.escape(seen.told)}</p>"
    )
