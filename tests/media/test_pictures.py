"""Pictures and masks as arrays, however they lie in memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.media.pictures import code_values, eight_bit_masks


@pytest.mark.parametrize(
    "laid",
    [lambda values: values[::-1], lambda values: values.astype(">u2")],
    ids=["backwards", "big-endian"],
)
def test_arrays_of_any_order_are_taken(laid: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
    frames = laid(np.arange(2 * 4 * 5 * 3, dtype=np.uint16).reshape(2, 4, 5, 3))
    assert np.array_equal(code_values(frames).numpy(), frames)
    masks = laid(257 * np.arange(2 * 4 * 5, dtype=np.uint16).reshape(2, 4, 5))
    assert np.array_equal([*eight_bit_masks(masks, 2, (4, 5))], masks // 257)
