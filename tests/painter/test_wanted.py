"""What ``--key`` may ask for."""

import pytest

from vidstyle.errors import UsageError
from vidstyle.painter.wanted import WantedKeys


def test_frames_given_keys_and_auto() -> None:
    wanted = WantedKeys.parsed(["20", "a.png@3", "5", "auto"])
    assert wanted.frames == (20, 5)
    assert [str(name) for name in wanted.given] == ["--key a.png@3"]
    assert wanted.auto
    assert set(wanted.named) == {20, 5, 3}


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([], "--key is missing"),
        (["a.png@3"], "--key is missing"),
        (["twenty"], "--key twenty: not a frame"),
        (["-3"], "--key -3: not a frame"),
        (["3", "3"], "--key 3: named twice"),
        (["3", "a.png@3"], "--key 3: named twice"),
        (["a.png@"], "no frame given"),
    ],
)
def test_all_else_is_refused(texts: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        WantedKeys.parsed(texts)
