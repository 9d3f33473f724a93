"""The keys requested from ``vidstyle paint`` by ``--key``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vidstyle.carry.key import KeyName
from vidstyle.errors import UsageError

AUTO = "auto"


@dataclass(frozen=True)
class WantedKeys:
    """Keys to paint.

    Attributes:
        frames: to paint, in order.
        given: existing keys, which the others must be consistent with.
        auto: whether to propose frames until the keys show enough of the object.
    """

    frames: tuple[int, ...]
    given: tuple[KeyName, ...]
    auto: bool

    @classmethod
    def parsed(cls, texts: Sequence[str]) -> "WantedKeys":
        """
        Args:
            texts: frame numbers, ``auto``, and ``FILE@FRAME`` of existing keys.

        Raises:
            UsageError: one is none of these, a frame is given twice, or there is none to paint.
        """
        frames, given = [], []
        for text in texts:
            if re.fullmatch("[0-9]{1,9}", text):
                frames.append(int(text))
            elif "@" in text:
                given.append(KeyName.parsed(text))
            elif text != AUTO:
                raise UsageError(
                    f"--key {text}: not a frame; give its number from 0, auto, or FILE@FRAME of an "
                    "existing key"
                )
        wanted = cls(tuple(frames), tuple(given), AUTO in texts)
        if not frames and not wanted.auto:
            raise UsageError("--key is missing; give the number of a frame to paint, or auto")
        for frame in wanted.named:
            if wanted.named.count(frame) > 1:
                raise UsageError(f"--key {frame}: named twice; name each frame once")
        return wanted

    @property
    def named(self) -> tuple[int, ...]:
        """Every frame that is given by number."""
        return *self.frames, *(name.frame for name in self.given)
