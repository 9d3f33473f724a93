"""Live pictures on the page: a clip at its own speed, or a user's camera, frame by frame."""

import base64
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Self

import cv2
import torch

from vidstyle.errors import Cancelled, UsageError
from vidstyle.live.few import Few
from vidstyle.live.run import FIRST, LiveJob, Meter, Shown, begin, live
from vidstyle.live.session import Session
from vidstyle.media.frame import Frame
from vidstyle.options import RenderOptions
from vidstyle.ui.models import kept_parts
from vidstyle.ui.selection import POINTED, Image, Wish

#: Seconds after which the device is freed for other users.
TURN = 60
#: Frames per second sent by a camera, and shown of a clip. A higher rate means smaller pictures.
RATE = 10

#: Seconds between checks of a screen without new pictures.
_LOOK = 0.25


@dataclass(frozen=True)
class Picture:
    """A displayed picture: a JPEG in the form a browser needs, and a status line."""

    url: str
    told: str

    @classmethod
    def of(cls, image: Image, told: str) -> Self:
        """From an image (H, W, 3) RGB."""
        _, coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
        return cls(f"data:image/jpeg;base64,{base64.b64encode(coded.tobytes()).decode()}", told)


class Screen:
    """A sink for live pictures that keeps only the newest for the viewer."""

    def __init__(self) -> None:
        self._newest: Picture | None = None
        self._change = threading.Condition()
        self._closed = False

    def show(self, frame: Frame, told: str) -> bool:
        """See :class:`~vidstyle.live.sink.Sink`."""
        with self._change:
            self._newest = Picture.of(frame.image.numpy(), told)
            self._change.notify_all()
        return not self._closed

    def close(self) -> None:
        """Accept no more pictures."""
        self._closed = True

    def newest(self, seconds: float) -> Picture | None:
        """Wait for a picture not yet seen; None if none arrives in time."""
        with self._change:
            self._change.wait_for(lambda: self._newest is not None, seconds)
            newest, self._newest = self._newest, None
        return newest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


def play(
    clip: str, wishes: Sequence[Wish], options: RenderOptions, screen: Screen
) -> Iterator[Picture | Shown]:
    """Show a clip live, for at most one :data:`TURN`, and yield statistics at the end. Closing the
    screen or the iterator stops it.

    Raises:
        VidstyleError: as for ``live``.
        ValueError: an object was not pointed at.
    """
    job = LiveJob(
        source=clip,
        objects=[wish.styled() for wish in wishes],
        options=replace(options, first=None, last=None),
        rate=RATE,
        seconds=TURN,
    )
    for wish in wishes:
        if any(frame >= FIRST for frame in wish.object.frames):
            raise UsageError(f"live starts at frame 0: mark the object before frame {FIRST}")
    ended, failures = list[Shown](), list[BaseException]()

    def work() -> None:
        try:
            ended.append(live(job, lambda *_: screen))
        except (Exception, Cancelled) as error:  # passed to the user's thread
            failures.append(error)

    thread = threading.Thread(target=work, name="ui-live")
    thread.start()
    try:
        while thread.is_alive():
            if picture := screen.newest(_LOOK):
                yield picture
    finally:
        screen.close()
        thread.join()
    if failures:
        raise failures[0]
    yield from ended


class Camera:
    """Frames of a user's camera, arriving one by one, restyled with objects and statistics from
    the first :data:`~vidstyle.live.run.FIRST` of them; after a new choice, from the most recent."""

    def __init__(self) -> None:
        self._recent: deque[Frame] = deque(maxlen=FIRST)
        self._chosen: tuple[tuple[Wish, ...], RenderOptions] | None = None
        self._session: Session | None = None
        self._meter: Meter | None = None
        self._height: int | None = None
        self._dropped = 0
        self._last: int | None = None

    def step(
        self,
        image: Image,
        number: int,
        latency: float,
        wishes: Sequence[Wish],
        options: RenderOptions,
    ) -> Picture:
        """The restyled frame, or the original while the first frames are gathered.

        Args:
            image: (H, W, 3) RGB.
            number: its number among all frames sent by the camera.
            latency: seconds that the previous picture took from the camera to the screen.

        Raises:
            VidstyleError: as for a render.
            ValueError: an object that cannot be searched for in a camera's picture.
        """
        if any(wish.object.kind in POINTED for wish in wishes):
            raise ValueError(
                "a camera cannot use a click, box or brush: choose whole frame or name"
            )
        frame = Frame(torch.from_numpy(image.copy()), 0, 0, Fraction(1, RATE))
        if self._recent and self._recent[0].size != frame.size:
            self._recent.clear()
            self._height = self._session = None
        self._recent.append(frame)
        if self._chosen != (tuple(wishes), options):
            self._session = None
        if len(self._recent) < FIRST:
            return Picture.of(image, "analysing the first frames")
        if self._session is None or self._meter is None:
            self._session = self._begin(tuple(wishes), options)
            self._meter = Meter(self._session.size, lambda: self._dropped)
            self._dropped, self._last = 0, None
        else:
            if self._last is not None:
                self._dropped += number - self._last - 1
                self._meter.shown(latency)
            self._last = number
        return Picture.of(self._session.step(frame).image.numpy(), str(self._meter))

    def _begin(self, wishes: tuple[Wish, ...], options: RenderOptions) -> Session:
        """A new session; its height is timed again if the objects have changed."""
        before = () if self._chosen is None else self._chosen[0]
        if [wish.object for wish in before] != [wish.object for wish in wishes]:
            self._height = None
        job = LiveJob(
            source="camera",
            objects=[wish.styled() for wish in wishes],
            options=options,
            height=self._height,
        )
        session = begin(job, Few(self._recent), RATE, kept_parts(options))
        self._chosen, self._height = (wishes, options), session.size[0]
        return session
