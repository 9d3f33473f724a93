"""The latest results of an expensive function, by its arguments."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from vidstyle.segment.clip import Image

Result = TypeVar("Result")


class Recent(Generic[Result]):
    """Results for pictures, which are known by their content.

    Args:
        size: results that are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept = OrderedDict[object, Result]()

    def get(self, image: Image, make: Callable[[], Result], other: object = None) -> Result:
        """The result for a picture and anything ``other`` that it depends on; made if it is not
        kept."""
        key = hashlib.blake2b(image.tobytes(), digest_size=16).digest(), image.shape, other
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return self._kept[key]
