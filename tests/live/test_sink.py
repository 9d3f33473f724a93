"""Where live pictures go."""

from fractions import Fraction

import pytest

from vidstyle.errors import UsageError
from vidstyle.live.sink import open_sink


def test_a_stream_of_odd_height_is_refused_with_what_to_do():
    with pytest.raises(UsageError, match="even height; add --height 360"):
        open_sink("udp://127.0.0.1:9", (361, 640), Fraction(25))
