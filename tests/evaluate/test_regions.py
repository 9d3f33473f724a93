"""The parts of a frame that are scored by themselves."""

import numpy as np

from vidstyle.evaluate.regions import BAND, regions


def half(size: tuple[int, int] = (20, 40)) -> np.ndarray:
    """The left half is the object."""
    matte = np.zeros(size, np.uint8)
    matte[:, : size[1] // 2] = 255
    return matte


def test_a_straight_edge_has_a_band_of_its_width_about_it() -> None:
    parts = regions((20, 40), half())
    columns = {name: mask[0, 0, 7].nonzero().flatten().tolist() for name, mask in parts.items()}
    assert columns["inside"] == list(range(20 - BAND // 2))
    assert columns["band"] == list(range(20 - BAND // 2, 20 + BAND // 2))
    assert columns["outside"] == list(range(20 + BAND // 2, 40))
    assert columns["all"] == list(range(40))


def test_the_parts_cover_the_frame_once() -> None:
    matte = (np.random.default_rng(0).random((30, 50)) > 0.97).astype(np.uint8) * 255
    parts = regions((30, 50), matte)
    total = parts["inside"] + parts["band"] + parts["outside"]
    assert (total == 1).all()
    assert parts["band"].sum() > 300


def test_without_an_edge_there_is_no_band() -> None:
    empty = regions((12, 16), np.zeros((12, 16), np.uint8))
    assert (empty["inside"].sum(), empty["band"].sum(), empty["outside"].mean()) == (0, 0, 1)
    full = regions((12, 16), np.full((12, 16), 255, np.uint8))
    assert (full["inside"].mean(), full["band"].sum(), full["outside"].sum()) == (1, 0, 0)


def test_half_covered_pixels_belong_to_the_object() -> None:
    soft = half()
    soft[:, 20] = 128
    soft[:, 21] = 127
    assert regions((20, 40), soft)["band"][0, 0, 0].nonzero().flatten().tolist() == list(
        range(17, 25)
    )


def test_without_a_matte_the_frame_is_one() -> None:
    assert list(regions((12, 16), None)) == ["all"]
