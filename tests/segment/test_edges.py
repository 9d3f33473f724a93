"""The edges of mattes at the frame's size."""

import sys

import cv2
import numpy as np
import pytest

from vidstyle.choices import EDGES
from vidstyle.errors import UsageError
from vidstyle.segment.mattes.edges import build_edges
from vidstyle.segment.mattes.guided import upsample


@pytest.fixture(scope="module", params=EDGES)
def edges(request):
    if request.param == "closed-form":
        pytest.importorskip("pymatting")
    return build_edges(request.param)


@pytest.fixture(scope="module")
def blurred(photo_clip):
    """The photograph out of focus before a sharp one: picture, true alpha, and a hard matte."""
    truth = cv2.GaussianBlur(photo_clip.truth[4], (0, 0), 3)
    alpha = truth[..., None] / 255.0
    before = cv2.GaussianBlur(np.full_like(photo_clip.images[4], (40, 90, 200)), (0, 0), 3)
    picture = np.rint(photo_clip.images[4][::-1] * (1 - alpha) + before * alpha).astype(np.uint8)
    return picture, truth, photo_clip.truth[4]


def test_inside_and_outside_stay_and_sizes_fit(edges, photo_clip):
    truth = photo_clip.truth[4]
    small = cv2.resize(truth, (135, 90), interpolation=cv2.INTER_AREA)
    matte = edges(small, photo_clip.images[4])
    assert matte.shape == truth.shape
    assert matte.dtype == np.uint8
    core = np.ones((17, 17), np.uint8)
    assert (matte[cv2.erode(truth, core) == 255] > 250).all()
    assert (matte[cv2.dilate(truth, core) == 0] < 5).all()


def test_nothing_and_everything_stay(edges, photo_clip):
    for value in (0, 255):
        flat = np.full(photo_clip.size, value, np.uint8)
        assert np.array_equal(edges(flat, photo_clip.images[0]), flat)


def test_closed_form_finds_the_blur(blurred):
    pytest.importorskip("pymatting")
    picture, truth, hard = blurred
    band = (truth > 0) & (truth < 255)
    errors = [
        np.abs(make(hard, picture)[band].astype(int) - truth[band]).mean()
        for make in (build_edges("closed-form"), upsample)
    ]
    assert errors[0] < 0.7 * errors[1]


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymatting", None)
    monkeypatch.delitem(sys.modules, "vidstyle.segment.mattes.matting", raising=False)
    with pytest.raises(UsageError, match=r"--edges closed-form.*vidstyle\[matting\]"):
        build_edges("closed-form")


def test_unknown_edges_are_a_usage_error():
    with pytest.raises(UsageError, match="guided, closed-form"):
        build_edges("torn")
