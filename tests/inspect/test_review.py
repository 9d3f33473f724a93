"""The review video."""

import numpy as np
import pytest

from vidstyle.inspect.marking import colour_of
from vidstyle.inspect.review import Reviewed, write_review
from vidstyle.media.colour_management import manage
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.shots import Shot
from vidstyle.pipeline.analysis import Take
from vidstyle.segment.mattes.store import MatteStore


@pytest.fixture
def take(shot):
    reader = open_clip(str(shot.clip))
    return Take(reader, [Shot(4, 12)], manage(reader.info, None))


@pytest.fixture
def review(take, shot, tmp_path):
    """Decoded frames of the review: (8, H, W, 3). The astronaut is sure in frames 4 to 7, poor in
    8 to 11; the second object is in frame 5 only."""
    hers = MatteStore(tmp_path / "hers", shot.size, take.count)
    other = MatteStore(tmp_path / "other", shot.size, take.count)
    for index in range(4, 12):
        hers.put(index, shot.matte(index), 0.95 if index < 8 else 0.1)
    corner = np.zeros(shot.size, np.uint8)
    corner[30:60, 120:150] = 255
    other.put(5, corner, 0.5)
    target = tmp_path / "review.mkv"
    write_review(take, [Reviewed("person", hers), Reviewed("box", other)], str(target))
    return np.stack([f.image.numpy() for f in open_clip(str(target)).frames()]).astype(int)


def test_objects_are_tinted_and_the_rest_is_the_plate(review, take, shot):
    plates = np.stack([f.image.numpy() for f in take.frames(4)]).astype(int)
    assert review.shape == plates.shape
    for index, (plate, seen) in enumerate(zip(plates, review, strict=True), 4):
        far = np.ones(shot.size, bool)
        far[:36, :110] = far[86:] = False  # labels and bars
        inside = (shot.matte(index) == 255) & far
        towards = (seen - plate) * (np.array(colour_of(0)) - plate)
        assert (towards[inside].sum(axis=1) > 0).mean() > 0.95
        outside = (shot.matte(index) == 0) & far
        outside[:, 115:155] = False
        assert np.abs(seen - plate)[outside].mean() < 4
    assert np.abs(review - plates)[1, 35:55, 125:145].mean() > 15
    assert np.abs(review - plates)[2, 35:55, 125:145].mean() < 4


def test_the_bars_tell_confidence_over_time(review):
    """Two bars of two lines each: hers above."""
    hers, other = review[0, 92:94].mean(axis=0), review[0, 94:96].mean(axis=0)
    green, red = hers[10:75].mean(axis=0), hers[85:155].mean(axis=0)
    assert green[1] > green[0] + 50
    assert red[0] > red[1] + 50
    seen, gone = other[22:38].mean(axis=0), other[45:155].mean(axis=0)
    assert np.ptp(gone) < 25  # grey
    assert np.ptp(seen) > 25
    heads = [int(frame[92:96].min(axis=(0, 2)).argmax()) for frame in review]
    assert heads == sorted(heads)
    assert heads[0] < 20
    assert heads[-1] > 140


def test_a_second_bar_tells_how_far_painted_keys_show_the_object(take, shot, tmp_path):
    hers = MatteStore(tmp_path / "hers", shot.size, take.count)
    for index in range(4, 12):
        hers.put(index, shot.matte(index), 1.0)
    target = tmp_path / "review.mkv"
    carried = {4: 1.0, 5: 0.9, 6: 0.8, 7: 0.6, 8: 0.1, 9: 0.0, 10: 0.0, 11: 0.1}
    write_review(take, [Reviewed("person", hers, carried)], str(target))
    first = next(iter(open_clip(str(target)).frames())).image.numpy().astype(int)
    mattes, keys = first[92:94].mean(axis=0), first[94:96].mean(axis=0)
    assert (mattes[85:155, 1] > mattes[85:155, 0] + 50).all()
    assert keys[25:55, 1].mean() > keys[25:55, 0].mean() + 50
    assert keys[85:155, 0].mean() > keys[85:155, 1].mean() + 50
