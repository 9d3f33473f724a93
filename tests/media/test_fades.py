"""Which frames are faded, and how far; where shots begin around them."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import cv2
import numpy as np
import pytest
import skimage.data
import torch

from vidstyle.media.frame import Frame
from vidstyle.media.video.fades import Fade, Impressions, find_fades, without_empty_shots
from vidstyle.media.video.shots import Shot
from vidstyle.pipeline.fading import lifted, lowered


def pan(photo: str, count: int) -> list[np.ndarray]:
    """A camera move, (90, 160, 3)."""
    picture = cv2.resize(getattr(skimage.data, photo)(), (320, 200), interpolation=cv2.INTER_AREA)
    return [picture[i : i + 90, 2 * i : 2 * i + 160] for i in range(count)]


def faded(pictures: Sequence[np.ndarray], shares: Sequence[float], colour: int) -> list[np.ndarray]:
    mixed = (p * k + colour * (1 - k) for p, k in zip(pictures, shares, strict=True))
    return [np.rint(picture).astype(np.uint8) for picture in mixed]


def frames(pictures: Sequence[np.ndarray]) -> Iterator[Frame]:
    for number, picture in enumerate(pictures):
        yield Frame(
            torch.from_numpy(np.ascontiguousarray(picture)), number, number, Fraction(1, 24)
        )


def impressions(pictures: Sequence[np.ndarray]) -> Impressions:
    seen = Impressions()
    assert sum(1 for _ in seen.watching(frames(pictures))) == len(pictures)
    return seen


def shares(fades: Sequence[Fade], count: int) -> list[float]:
    found = {fade.frame: fade.share for fade in fades}
    return [found.get(number, 1.0) for number in range(count)]


OUT = [*[1.0] * 8, *np.linspace(1, 0, 13), 0.0, 0.0]


@pytest.mark.parametrize("colour", [0, 255, 90])
@pytest.mark.parametrize("turned", [False, True])
def test_fades_are_measured(colour: int, turned: bool):
    true = OUT[::-1] if turned else OUT
    seen = impressions(faded(pan("astronaut", len(true)), true, colour))
    fades = find_fades([Shot(0, len(true))], seen)
    assert np.abs(np.array(shares(fades, len(true))) - true).max() < 0.06
    assert max(abs(value - colour / 255) for fade in fades for value in fade.colour) < 0.01


def test_a_fade_may_end_with_the_shot_before_it_is_over():
    true = [*[1.0] * 8, *np.linspace(1, 0.4, 10)]
    seen = impressions(faded(pan("astronaut", 1) * 18, true, 0))
    fades = find_fades([Shot(0, 18)], seen)
    assert np.abs(np.array(shares(fades, 18)) - true).max() < 0.06


def test_a_flash_hides_one_frame():
    pictures = pan("astronaut", 12)
    pictures[6] = np.full_like(pictures[6], 250)
    fades = find_fades([Shot(0, 12)], impressions(pictures))
    assert [(fade.frame, fade.share) for fade in fades] == [(6, 0.0)]


def test_moving_cameras_and_cuts_are_no_fades():
    pictures = [*pan("astronaut", 12), *pan("coffee", 12)]
    assert find_fades([Shot(0, 24)], impressions(pictures)) == []
    flat = [np.full((90, 160, 3), 120, np.uint8)] * 4
    assert find_fades([Shot(0, 4)], impressions(flat)) == []


def test_black_between_two_scenes_is_no_shot_of_its_own():
    first = faded(pan("astronaut", 14), [*[1.0] * 4, *np.linspace(1, 0.1, 10)], 0)
    second = faded(pan("coffee", 14), [*np.linspace(0.1, 1, 10), *[1.0] * 4], 0)
    black = [np.zeros((90, 160, 3), np.uint8)] * 6
    seen = impressions([*first, *black, *second])
    whole, cut = [Shot(0, 34)], [Shot(0, 14), Shot(14, 20), Shot(20, 34)]
    assert without_empty_shots(whole, seen) == [Shot(0, 17), Shot(17, 34)]
    assert without_empty_shots(cut, seen) == [Shot(0, 20), Shot(20, 34)]
    opening = impressions([*black, *second])
    assert without_empty_shots([Shot(0, 6), Shot(6, 20)], opening) == [Shot(0, 20)]


def test_a_scene_that_comes_back_out_of_black_is_one_shot():
    pictures = pan("astronaut", 20)
    pictures[9] = pictures[10] = np.zeros((90, 160, 3), np.uint8)
    assert without_empty_shots([Shot(0, 20)], impressions(pictures)) == [Shot(0, 20)]


def test_paint_fades_as_the_plate_does():
    (frame,) = frames(pan("astronaut", 1))
    picture = torch.from_numpy(pan("astronaut", 1)[0]).movedim(-1, 0)[None] / 255
    paint = 1 - picture
    for share in (0.0, 0.02, 0.3, 0.7):
        fade = Fade(0, share, (0.2, 0.5, 0.9))
        colour = torch.tensor(fade.colour)[:, None, None]
        plate = share * picture + (1 - share) * colour
        back = lifted(plate, [frame], {0: fade})
        if share > 0.1:
            assert torch.allclose(back, picture, atol=1e-5)
            expected = share * paint[0] + (1 - share) * colour
            assert torch.allclose(lowered(paint[0], plate[0], fade), expected, atol=1e-5)
        assert (lowered(paint[0], plate[0], fade) - plate[0]).abs().max() <= share + 1e-6
    assert lifted(picture, [frame], {5: fade}) is picture
