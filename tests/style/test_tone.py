"""Tones: whites and blacks that a style has no room for are rolled off, and nothing else."""

import pytest
import torch

from vidstyle.style.tone import BLACK, ROOM, WHITE, Histogram, Tone, fitting_tone


def values(low: float, high: float) -> torch.Tensor:
    """(1, 3, 100, 100), evenly spread."""
    return torch.linspace(low, high, 10_000).view(1, 1, 100, 100).expand(1, 3, -1, -1).clone()


def shares(picture: torch.Tensor) -> tuple[float, float]:
    """Of black and white values."""
    code = (picture * 255).round()
    return float((code < BLACK).float().mean()), float((code > WHITE).float().mean())


def test_what_fits_is_left_alone() -> None:
    middle = Histogram.of(values(0.1, 0.9))
    assert fitting_tone(middle, middle, middle) == Tone()
    wide = Histogram.of(values(0.0, 1.0))
    assert fitting_tone(wide, wide, middle) == Tone()  # the style has as much
    assert fitting_tone(wide, middle, wide) == Tone()  # or the plate


@pytest.mark.parametrize(("low", "high"), [(-0.2, 1.3), (0.2, 1.2), (-0.5, 0.8)])
def test_too_much_white_and_black_are_rolled_off(low: float, high: float) -> None:
    painted, style = values(low, high), values(0.0, 1.0)
    tone = fitting_tone(Histogram.of(painted), Histogram.of(style), Histogram.of(values(0.1, 0.9)))
    black, white = shares(tone(painted.clone()))
    room = [ROOM * share for share in shares(style)]
    assert black <= room[0] + 0.002
    assert white <= room[1] + 0.002
    result = tone(painted.clone())
    assert (result.flatten(2).diff() >= -1e-6).all()  # the order of tones stays
    middle = (painted > 0.45) & (painted < 0.55)
    torch.testing.assert_close(result[middle], painted[middle], atol=0.02, rtol=0)


def test_counts_add_up_and_heed_the_mask() -> None:
    bright, dark = values(0.8, 1.2), values(-0.2, 0.2)
    inside = torch.zeros(1, 1, 100, 200)
    inside[..., :100] = 1
    both = Histogram.of(torch.cat([bright, dark], -1), inside)
    torch.testing.assert_close(both.counts, Histogram.of(bright).counts)
    total = Histogram.of(bright) + Histogram.of(dark)
    assert total.share_above(0.5) == pytest.approx(0.5)
    assert total.inverted().share_above(0.5) == pytest.approx(0.5)
    assert Histogram.of(bright).quantile(0.5) == pytest.approx(1.0, abs=0.01)
