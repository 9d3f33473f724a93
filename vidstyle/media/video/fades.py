"""Fades and flashes: frames that blend their picture with a single colour.

A faded frame is k·P + (1 − k)·C for a picture P and a colour C, mostly black. Its distance from C,
over all pixels, is k times that of P, which gives k; C is the colour of frames in which nothing is
visible.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.frame import Frame, full_scale
from vidstyle.media.video.shots import Shot

_THUMBNAIL = (64, 36)  # width and height at which contrast is measured: noise averages out
_GIST = (16, 9)  # at which pictures are compared
_FLAT = 0.008  # standard deviation of brightness, of a range of 1, below which nothing is seen
_RISE = 1.003  # factor by which the distance keeps rising away from where nothing is visible
_PATIENCE = 3  # frames that it may pause in between
_OFF = 0.06  # by which mean and contrast may deviate from what the fade explains
_BEGUN = 0.9  # lowest share next to an empty run that may be chance
_PARTIAL = 0.75  # share below which a shot that ends before the picture is gone has begun to fade
_ALIKE = 0.8  # correlation of pictures of one scene, a few frames apart
_SAME = 0.9  # the same, if dark through a fade rather than through content that comes or goes
_LEAST_SHARE = 0.05  # at which pictures are still brought back


@dataclass(frozen=True)
class Fade:
    """A faded frame.

    Attributes:
        frame: its number.
        share: weight of its picture in it, 0 to below 1.
        colour: RGB in [0, 1], what it shows for the rest.
    """

    frame: int
    share: float
    colour: tuple[float, float, float]

    @property
    def lifting(self) -> float:
        """The share used to restore the picture: below a minimum, too little of it is left."""
        return max(self.share, _LEAST_SHARE)


@dataclass
class Impressions:
    """A few numbers that describe the look of each frame of a run."""

    numbers: list[int] = field(default_factory=list)
    contrasts: list[float] = field(default_factory=list)
    colours: list[NDArray[np.float32]] = field(default_factory=list)
    gists: list[NDArray[np.uint8]] = field(default_factory=list)

    def watching(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yields the frames unchanged while recording them."""
        for frame in frames:
            self._look_at(frame)
            yield frame

    def _look_at(self, frame: Frame) -> None:
        small = cv2.resize(frame.image.numpy(), _THUMBNAIL, interpolation=cv2.INTER_AREA)
        values = np.nan_to_num(small.astype(np.float32) / full_scale(frame.image.dtype)).clip(0, 1)
        grey = values.mean(axis=-1)
        gist = cv2.resize(grey, _GIST, interpolation=cv2.INTER_AREA)
        self.numbers.append(frame.index)
        self.contrasts.append(float(grey.std()))
        self.colours.append(values.mean(axis=(0, 1)))
        self.gists.append(np.rint(255 * gist).astype(np.uint8))

    def within(self, shot: Shot) -> "Impressions":
        """The impressions of a shot's frames."""
        first, stop = np.searchsorted(self.numbers, (shot.start, shot.stop))
        lists = (self.numbers, self.contrasts, self.colours, self.gists)
        return Impressions(*(values[first:stop] for values in lists))  # type: ignore[arg-type]

    def distances(self, colour: NDArray[np.float32]) -> NDArray[np.float64]:
        """Root mean square distance of each frame's pixels from a colour."""
        apart = np.abs(np.array(self.colours) - colour).mean(axis=1)
        return np.asarray(np.hypot(apart, self.contrasts), np.float64)

    @property
    def flat_runs(self) -> list[tuple[int, int]]:
        """Positions, half open, where nothing is visible."""
        flat = np.array([False, *(c < _FLAT for c in self.contrasts), False])
        edges = np.flatnonzero(flat[1:] != flat[:-1])
        return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def without_empty_shots(shots: Sequence[Shot], seen: Impressions) -> list[Shot]:
    """The shots, with empty ones joined to the shot before. Where a different picture follows an
    empty run than preceded it, a new shot begins there."""
    parted: list[Shot] = []
    for shot in shots:
        inside = seen.within(shot)
        if parted and inside.flat_runs == [(0, len(inside.numbers))]:
            parted[-1] = replace(parted[-1], stop=shot.stop)
        else:
            starts = [shot.start, *_new_pictures(inside), shot.stop]
            parted += [Shot(start, stop) for start, stop in pairwise(starts)]
    first = seen.within(parted[0]) if parted else seen
    if len(parted) > 1 and first.flat_runs == [(0, len(first.numbers))]:
        parted[:2] = [Shot(parted[0].start, parted[1].stop)]
    return parted


def find_fades(shots: Sequence[Shot], seen: Impressions) -> list[Fade]:
    """The faded frames of all shots, by number."""
    return [fade for shot in shots for fade in _fades(seen.within(shot))]


def _new_pictures(seen: Impressions) -> list[int]:
    """Numbers of the frames in the middle of empty runs between different pictures."""
    starts = []
    for start, stop in seen.flat_runs:
        if start == 0 or stop == len(seen.numbers):
            continue
        distances = seen.distances(np.mean(seen.colours[start:stop], axis=0))
        before = _half(distances, range(start - 1, -1, -1))
        after = _half(distances, range(stop, len(seen.numbers)))
        if _correlation(seen.gists[before], seen.gists[after]) < _ALIKE:
            starts.append(seen.numbers[(start + stop) // 2])
    return starts


def _fades(seen: Impressions) -> list[Fade]:
    """The faded frames of one shot."""
    count = len(seen.numbers)
    runs = seen.flat_runs
    if runs == [(0, count)]:
        colour = np.mean(seen.colours, axis=0)
        return _all(seen, range(count), colour) if _is_black_or_white(colour) else []
    found: dict[int, Fade] = {}
    for start, stop in runs:
        colour = np.mean(seen.colours[start:stop], axis=0)
        sides = range(start - 1, -1, -1), range(stop, count)
        for fade in (
            *_all(seen, range(start, stop), colour),
            *(fade for side in sides if side for fade in _towards(seen, side, colour)),
        ):
            # A frame between two such runs belongs to the one that leaves less of it.
            known = found.get(fade.frame)
            if known is None or fade.share < known.share:
                found[fade.frame] = fade
    for side in (range(count - 1, -1, -1), range(count)):
        if seen.contrasts[side[0]] >= _FLAT:
            found = {fade.frame: fade for fade in _begun(seen, side)} | found
    return [found[number] for number in sorted(found)]


def _all(seen: Impressions, places: range, colour: NDArray[np.float32]) -> list[Fade]:
    """Fades of frames with nothing left of the picture."""
    red, green, blue = map(float, colour)
    return [Fade(seen.numbers[place], 0.0, (red, green, blue)) for place in places]


def _whole(distances: NDArray[np.float64], side: range) -> int:
    """The position where the distance stops rising, going away from where nothing, or least, is
    visible."""
    along = distances[list(side)]
    place = 0
    while len(ahead := along[place + 1 : place + 1 + _PATIENCE]) and (
        ahead.max() > _RISE * along[place]
    ):
        place += 1 + int(ahead.argmax())
    return side[place]


def _half(distances: NDArray[np.float64], side: range) -> int:
    """The nearest position at which at least half of the picture is visible."""
    enough = distances[_whole(distances, side)] / 2
    return next(place for place in side if distances[place] >= enough)


def _towards(seen: Impressions, side: range, colour: NDArray[np.float32]) -> list[Fade]:
    """The frames of a fade to (or from) a colour, going away from where nothing is visible; none if
    the colour does not explain their look."""
    distances = seen.distances(colour)
    whole = _whole(distances, side)
    red, green, blue = map(float, colour)
    fades = []
    for place in side[: side.index(whole)]:
        share = float(min(1.0, distances[place] / distances[whole]))
        expected = share * seen.colours[whole] + (1 - share) * colour
        off = np.abs(expected - seen.colours[place]).max()
        if max(off, abs(share * seen.contrasts[whole] - seen.contrasts[place])) > _OFF:
            return []
        if share < 1:
            fades.append(Fade(seen.numbers[place], share, (red, green, blue)))
    return fades if min((fade.share for fade in fades), default=1.0) < _BEGUN else []


def _begun(seen: Impressions, side: range) -> list[Fade]:
    """The frames of a fade to black or white whose end is not in the shot."""
    for colour in (np.zeros(3, np.float32), np.ones(3, np.float32)):
        whole = _whole(seen.distances(colour), side)
        fades = _towards(seen, side, colour)
        least = min((fade.share for fade in fades), default=1.0)
        if least < _PARTIAL and _correlation(seen.gists[side[0]], seen.gists[whole]) > _SAME:
            return fades
    return []


def _is_black_or_white(colour: NDArray[np.float32]) -> bool:
    return bool(colour.max() < _OFF or colour.min() > 1 - _OFF)


def _correlation(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    if min(first.std(), second.std()) == 0:
        return 0.0
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])
