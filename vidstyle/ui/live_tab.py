"""The page's tab of live pictures, and what its buttons do."""

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

#: The queue of all that takes the device: one job at a time, whoever asks.
DEVICE = "device"

#: Pixels of a camera's picture at most; the page asks for 640×360.
_CAMERA = 1920 * 1080

# With each frame of the camera go its number, when it was sent, and how many milliseconds the
# picture before took until it was shown; all by the browser's own clock.
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
    """Lay it out in the context that is open.

    Args:
        play: shows the clip, from table, what was pointed at, and look.
        watch: shows a frame of the camera, from table, frame, clock and look.
        stop: ends what plays, from the table.
        pointed: components: the table, then what was pointed at.
        look: components.
        trouble: takes what ``play`` and ``stop`` say first: what went wrong.

    Returns:
        What plays the clip; it cannot be pressed yet.
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
    """The clip, live: the screen."""
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
    """A frame of the camera: the screen. What goes wrong stands below the picture, since the next
    frame comes anyway.

    Args:
        clock: the browser's: ``frame``, its number; ``sent``, when; ``latency``, how long the
            picture before took; in milliseconds.
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
