"""Frame by frame, without a look ahead."""

import numpy as np
import pytest
import torch

from vidstyle.live.few import Few, scaled
from vidstyle.live.run import restyled
from vidstyle.live.session import Session, find_subjects
from vidstyle.live.source import Arrival
from vidstyle.media.video.reader import open_clip
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.pipeline.parts import build_parts
from vidstyle.runtime.threads import threads_an_operation


@pytest.fixture(scope="module")
def options(tiny_model) -> RenderOptions:
    return RenderOptions(model=str(tiny_model), device="cpu", flow="dis", segmenter="grabcut")


@pytest.fixture(scope="module")
def frames(shot):
    return list(open_clip(str(shot.clip)).frames())


def session(frames, objects, options, height):
    parts = build_parts(options)
    first = Few(frames)
    subjects = find_subjects(objects, first, parts, invert=options.invert)
    return Session(subjects, first, height, parts, options)


def test_the_whole_frame_at_another_size(frames, options, style_picture) -> None:
    live = session(frames[:4], [StyledObject(None, str(style_picture))], options, 64)
    shown = [live.step(frame) for frame in frames[4:8]]
    assert {frame.size for frame in shown} == {(64, 106)} == {live.size}
    plate = scaled(frames[4], 64).image.float()
    assert (shown[0].image.float() - plate).abs().mean() > 8


@pytest.mark.parametrize("masked", [False, True])
def test_frames_side_by_side_are_those_one_by_one(
    frames, options, shot, style_picture, masked: bool
) -> None:
    objects = [StyledObject(f"mask:{shot.mask}" if masked else None, str(style_picture))]
    one, many = (session(frames[:4], objects, options, 96) for _ in range(2))
    with threads_an_operation(1):  # how many share a convolution shows in its last bits
        alone = [one.step(frame).image for frame in frames[4:12]]
    arrivals = [Arrival(frame, number) for number, frame in enumerate(frames[4:12])]
    with restyled(many, arrivals, 3) as made:
        together = list(made)
    assert [arrival.at for arrival, _ in together] == list(range(8))
    for (_, picture), expected in zip(together, alone, strict=True):
        assert torch.equal(picture.image, expected)


@pytest.mark.parametrize("invert", [False, True])
def test_an_object_is_followed(frames, options, shot, style_picture, invert: bool) -> None:
    """What changes is where the object truly is, long after the first frames."""
    chosen = RenderOptions(**{**vars(options), "invert": invert, "feather": 0.0})
    wanted = [StyledObject(f"mask:{shot.mask}", str(style_picture))]
    live = session(frames[:3], wanted, chosen, shot.size[0])
    shown = [live.step(frame) for frame in frames[3:12]]
    changed = (shown[-1].image.int() - frames[11].image.int()).abs().amax(-1).numpy() > 6
    truth = (shot.matte(11) > 127) != invert
    union = changed | truth
    assert (changed & truth).sum() / union.sum() > 0.6
    untouched = ~np.asarray(
        torch.nn.functional.max_pool2d(torch.from_numpy(truth)[None].float(), 25, 1, 12)[0] > 0
    )
    assert not changed[untouched].any()
