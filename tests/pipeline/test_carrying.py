"""Which key paints which frame, and what is proposed to be painted next."""

from itertools import pairwise

import pytest
import torch

from vidstyle.carry.key import PaintedFrame
from vidstyle.errors import UsageError
from vidstyle.pipeline.carrying import CROSSFADE, check_keys, proposed, stretches


@pytest.mark.parametrize("keys", [[10], [0, 39], [5, 6], [3, 30, 33], [12, 20, 28]])
def test_shares_of_the_keys_add_up_and_never_jump(keys: list[int]) -> None:
    found = stretches(keys, (0, 40))
    shares = {
        frame: {s.key: s.share(frame) for s in found if s.start <= frame < s.stop}
        for frame in range(40)
    }
    assert all(sum(each.values()) == pytest.approx(1) for each in shares.values())
    assert all(shares[key][key] == 1 for key in keys)
    for now, then in pairwise(range(40)):
        if any(b - a < 2 * CROSSFADE for a, b in pairwise(keys)):
            continue
        for key in keys:
            assert abs(shares[now].get(key, 0) - shares[then].get(key, 0)) < 0.25


def test_far_from_the_middle_the_nearest_key_paints_alone() -> None:
    first, second = stretches([0, 60], (0, 61))
    assert first.share(20) == 1
    assert first.stop == 30 + CROSSFADE
    assert second.start == 30 - CROSSFADE + 1


def test_keys_do_not_reach_beyond_their_shot() -> None:
    (only,) = stretches([12], (10, 20))
    assert (only.start, only.stop) == (10, 20)
    assert not stretches([12], (20, 30))


def key(frame: int) -> PaintedFrame:
    return PaintedFrame(f"--key k.png@{frame}", frame, torch.zeros(1, 3, 4, 4), None)


def test_keys_that_cannot_paint_are_refused() -> None:
    with pytest.raises(UsageError, match=r"k\.png@40: not among .* 0-39"):
        check_keys([key(40)], [(0, 40)], styled=True)
    with pytest.raises(UsageError, match="two keys"):
        check_keys([key(4), key(4)], [(0, 40)], styled=True)
    with pytest.raises(UsageError, match="no --key paints frames 20-39"):
        check_keys([key(4)], [(0, 20), (20, 40)], styled=False)
    check_keys([key(4)], [(0, 20), (20, 40)], styled=True)


def test_of_each_run_of_frames_that_no_key_shows_one_is_proposed() -> None:
    shown = dict.fromkeys(range(60), 0.8)
    shown.update({20: 0.2, 21: 0.1, 22: 0.2, 50: 0.25})
    assert proposed(shown) == [21, 50]
    shown.update(dict.fromkeys(range(30, 41), 0.0))
    assert proposed(shown) == [35, 21, 50]
    assert not proposed(dict.fromkeys(range(60), 0.8))
