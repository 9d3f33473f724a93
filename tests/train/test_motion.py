"""Pairs from real clips, and made-up motion: what the flow says is what the pictures do."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.motion.dis import DisFlow
from vidstyle.motion.warp import inside, warp
from vidstyle.train.pairs import Pair, SyntheticMotion, VideoPairs, find_clips, stack

SIDE = 96


def _pairs(folder: Path, gaps: tuple[int, ...] = (1,)) -> VideoPairs:
    clips = find_clips(folder)
    return VideoPairs(
        clips, DisFlow(160), side=SIDE, short_side=160, zoom=(0.8, 1.4), gaps=gaps, places=4
    )


def _apart(pair: Pair) -> tuple[float, float]:
    """RMS difference of the frames where valid, as they are and with the motion undone."""
    count = 3 * pair.valid.sum()
    moved = warp(pair.before[None], pair.flow[None], "bilinear")[0]
    still, undone = (
        float(((pair.valid * (pair.after - before)).square().sum() / count).sqrt())
        for before in (pair.before, moved)
    )
    return still, undone


@pytest.fixture(scope="module")
def clips(data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few frames of two clips, with the mattes of one of them."""
    folder = tmp_path_factory.mktemp("clips")
    for name, kind in (("libby", "frames"), ("libby", "masks"), ("car-shadow", "frames")):
        target = folder / name / kind
        target.mkdir(parents=True)
        for file in sorted(data(f"davis/{name}/{kind}").iterdir())[:10]:
            shutil.copy(file, target)
    return folder


@pytest.fixture(scope="module")
def photographs() -> Tensor:
    """(2, 3, 120, 160) in [0, 1]."""
    pictures = [
        cv2.resize(picture, (160, 120), interpolation=cv2.INTER_AREA)
        for picture in (skimage.data.coffee(), skimage.data.astronaut())
    ]
    return torch.from_numpy(np.stack(pictures)).movedim(-1, 1) / 255


@pytest.fixture
def movie(request: pytest.FixtureRequest) -> Path:
    """The clip of the generated shot."""
    return Path(request.getfixturevalue("shot").clip)


def test_mattes_are_no_clip(clips: Path) -> None:
    found = sorted(Path(clip.info.path) for clip in find_clips(clips))
    assert found == [clips / "car-shadow/frames", clips / "libby/frames"]


@pytest.mark.parametrize("gap", [1, 5])
def test_the_flow_undoes_the_motion(clips: Path, gap: int) -> None:
    """Whatever was scaled, cut or mirrored: at the same sign and scale."""
    pairs, random = _pairs(clips, (gap,)), np.random.default_rng(0)
    for _ in range(8):
        pair = pairs.pair(random)
        assert pair.before.shape == pair.after.shape == (3, SIDE, SIDE)
        assert pair.flow.shape == (2, SIDE, SIDE)
        assert pair.valid.unique().tolist() in ([0.0, 1.0], [1.0])
        assert (pair.valid <= inside(pair.flow[None])[0]).all()
        still, undone = _apart(pair)
        assert undone < 0.6 * still


def test_the_same_seed_draws_the_same_pairs(clips: Path) -> None:
    """Also from a cache that other draws have filled."""
    used = _pairs(clips)
    drawn = [used.pair(np.random.default_rng(seed)) for seed in (1, 2)]
    again = [_pairs(clips).pair(np.random.default_rng(seed)) for seed in (2, 1)]
    for pair, other in zip(drawn, reversed(again), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(pair, other, strict=True))
    assert not torch.equal(drawn[0].after, drawn[1].after)


def test_a_history_shows_one_frame_and_ever_earlier_ones(clips: Path) -> None:
    pairs, random = _pairs(clips, (4, 1)), np.random.default_rng(3)
    histories = [pairs.history(random) for _ in range(4)]
    for near, far in histories:
        assert torch.equal(near.after, far.after)
        assert not torch.equal(near.before, far.before)
        still, undone = _apart(far)
        assert undone < 0.6 * still
    # The longer ago, the less is still to be seen.
    shares = [[pair.valid.mean() for pair in history] for history in histories]
    assert np.mean(shares, axis=0)[1] < np.mean(shares, axis=0)[0]


def test_a_change_of_light_leaves_pairs_valid(tmp_path: Path) -> None:
    """The luminance-aware loss is there for it; nothing moves here."""
    picture = skimage.data.coffee()[:400, :400]
    for number, gain in enumerate((0.9, 0.8)):
        lit = (picture * gain).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), lit[..., ::-1])
    pair = _pairs(tmp_path).pair(np.random.default_rng(0))
    assert (pair.after - pair.before).abs().mean() > 0.03
    assert pair.valid.mean() > 0.8


def test_pairs_of_a_movie(movie: Path, tmp_path: Path) -> None:
    """Frames of an encoded clip are as good as pictures in a folder."""
    shutil.copy(movie, tmp_path)
    pair = _pairs(tmp_path, (2,)).pair(np.random.default_rng(0))
    still, undone = _apart(pair)
    assert undone < 0.6 * still


def test_pairs_across_a_cut_are_drawn_again(tmp_path: Path) -> None:
    """Four frames, a cut in the middle: what can be followed are the two ends."""
    for number, picture in enumerate(
        [skimage.data.coffee()[:400, :400]] * 2 + [skimage.data.astronaut()[100:500, 100:500]] * 2
    ):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture[..., ::-1])
    pairs, random = _pairs(tmp_path), np.random.default_rng(0)
    for _ in range(6):
        pair = pairs.pair(random)
        assert (pair.after - pair.before).abs().mean() < 1e-3


def test_clips_that_cannot_serve(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no clips in it"):
        find_clips(tmp_path)
    cv2.imwrite(str(tmp_path / "0.png"), skimage.data.coffee())
    with pytest.raises(MediaError, match="none of 1 clips is longer than 1 frames"):
        _pairs(tmp_path)
    rng = np.random.default_rng(0)
    for number in range(3):
        noise = rng.integers(0, 255, (160, 160, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), noise)
    with pytest.raises(MediaError, match="almost every pair"):
        _pairs(tmp_path).pair(rng)


def test_a_movie_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no movie")
    with pytest.raises(MediaError, match=r"a\.mp4"):
        find_clips(tmp_path)


def test_synthetic_motion_is_what_its_flow_says(photographs: Tensor) -> None:
    """Undisturbed, it is the warped picture itself; DIS sees the same motion."""
    motion = SyntheticMotion(noise=0, light=0)
    pair = motion(photographs, np.random.default_rng(0))
    assert torch.equal(pair.before, photographs)
    torch.testing.assert_close(pair.after, warp(photographs, pair.flow, "bilinear").clamp(0, 1))
    seen = DisFlow(120)(pair.after, pair.before)
    gap = (seen - pair.flow).norm(dim=1, keepdim=True)
    length = pair.flow.norm(dim=1, keepdim=True)
    assert gap[pair.valid > 0].median() < 0.15 * length[pair.valid > 0].median()


def test_synthetic_motion_stays_within_its_limits() -> None:
    """On a big frame too, nothing moves farther than shift, zoom, turn and wobble can."""
    motion = SyntheticMotion(shift=5, zoom=0.1, turn=5, wobble=1)
    pair = motion(torch.zeros(4, 3, 200, 300), np.random.default_rng(1))
    corner = np.hypot(100, 150)
    limit = np.hypot(5, 5) + corner * (0.1 + 1.1 * np.radians(5)) + 6
    assert 1 < pair.flow.norm(dim=1).max() < limit
    # Every neighbour stays a neighbour: the field does not fold.
    assert (pair.flow[:, 0].diff(dim=2) > -1).all()
    assert (pair.flow[:, 1].diff(dim=1) > -1).all()


def test_disturbance_alone(photographs: Tensor) -> None:
    """Noise of its deviation, and light that differs from picture to picture."""
    still = SyntheticMotion(shift=0, zoom=0, turn=0, wobble=0, noise=0.02, light=0)
    pair = still(photographs, np.random.default_rng(0))
    assert pair.flow.abs().max() < 1e-4
    middle = (photographs > 0.1) & (photographs < 0.9)  # where nothing is clipped
    assert (pair.after - photographs)[middle].std() == pytest.approx(0.02, rel=0.05)
    lit = SyntheticMotion(shift=0, zoom=0, turn=0, wobble=0, noise=0, light=0.2)
    change = lit(photographs, np.random.default_rng(0)).after - photographs
    assert (change.mean((1, 2, 3)).diff().abs() > 0.01).all()


def test_a_turn_and_a_zoom_keep_shapes() -> None:
    """Steps across and down stay at right angles and of one length, about the middle."""
    motion = SyntheticMotion(shift=0, zoom=0.2, turn=20, wobble=0)
    flow = motion(torch.zeros(1, 3, 61, 81), np.random.default_rng(2)).flow[0]
    across = flow.diff(dim=2)[:, 0, 0] + torch.tensor([1.0, 0])
    down = flow.diff(dim=1)[:, 0, 0] + torch.tensor([0, 1.0])
    torch.testing.assert_close(down, torch.stack([-across[1], across[0]]), atol=1e-4, rtol=0)
    assert across[1].abs() > 0.01
    assert across.norm() != pytest.approx(1, abs=0.01)
    assert flow[:, 30, 40].abs().max() < 1e-4


def test_light_scales_and_lifts() -> None:
    """A line through grey and dark does not pass through the origin."""
    lit = SyntheticMotion(shift=0, zoom=0, turn=0, wobble=0, noise=0, light=0.2)
    greys = torch.tensor([0.3, 0.6])[None, None, None].expand(4, 3, 8, 2)
    after = lit(greys, np.random.default_rng(0)).after
    gain = (after[..., 1] - after[..., 0]) / 0.3
    lift = after[..., 0] - gain * 0.3
    assert 0.01 < (gain - 1).abs().max() <= 0.2 + 1e-5
    assert 0.01 < lift.abs().max() <= 0.1 + 1e-5


def test_synthetic_motion_repeats_with_its_seed(photographs: Tensor) -> None:
    one, two = (SyntheticMotion()(photographs, np.random.default_rng(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one.flow[0], one.flow[1])


def test_pairs_make_a_batch(clips: Path) -> None:
    pairs, random = _pairs(clips), np.random.default_rng(0)
    drawn = [pairs.pair(random) for _ in range(3)]
    batch = stack(drawn)
    assert batch.before.shape == (3, 3, SIDE, SIDE)
    assert batch.valid.shape == (3, 1, SIDE, SIDE)
    assert torch.equal(batch.flow[1], drawn[1].flow)
