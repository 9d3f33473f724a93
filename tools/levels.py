"""Other levels of the style pyramid than the product's, for comparison."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from unittest import mock

from vidstyle.style import stylizer
from vidstyle.style.lapped import STRIDE


@contextmanager
def levels(scales: Sequence[int]) -> Iterator[None]:
    """Stylizers that are used within go through these scales, coarse to fine. Pictures are those
    that go through the network in one piece."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(stylizer, "SCALES", tuple(scales)))
        stack.enter_context(mock.patch.object(stylizer, "GRID", STRIDE * max(scales)))
        yield


def parsed(text: str) -> tuple[int, ...]:
    """``"2,1"`` → (2, 1)."""
    return tuple(int(scale) for scale in text.split(","))
