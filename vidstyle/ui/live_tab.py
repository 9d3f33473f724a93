"""The page's tab of live pictures."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from vidstyle.ui.live import RATE, TURN

#: The queue of all that takes the device: one job at a time, whoever asks.
DEVICE = "device"

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
) -> None:
    """Lay it out in the context that is open.

    Args:
        play: shows the clip, from table, what was pointed at, and look.
        watch: shows a frame of the camera, from table, frame, clock and look.
        stop: ends what plays, from the table.
        pointed: components: the table, then what was pointed at.
        look: components.
        trouble: takes what ``play`` and ``stop`` say first: what went wrong.
    """
    table = pointed[0]
    gr.Markdown(
        "The chosen object and style on moving pictures, as large as this machine keeps up with. "
        f"A turn takes {TURN} seconds at most; other jobs wait for it, and it for them. "
        "The camera's *Record* starts it; its frames lie with the uploads until the server ends."
    )
    with gr.Row():
        begin = gr.Button("Play the clip", variant="primary", min_width=120, elem_id="play")
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
