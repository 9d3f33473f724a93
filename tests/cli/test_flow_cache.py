"""``render --flow-cache``: a second render of a shot, in another style, estimates no flow."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.media.video.reader import open_clip
from vidstyle.motion import dis


def test_another_style_of_the_same_shot_estimates_no_flow(
    vidstyle, shot, style_picture, other_style_picture, tiny_model, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pairs: list[int] = []
    estimate = dis._dis

    def counted(effort: dis.Effort, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        pairs.append(len(first))
        return estimate(effort, first, second)

    monkeypatch.setattr(dis, "_dis", counted)

    def render(name: str, style: Path, *more: object) -> np.ndarray:
        pairs.clear()
        target = tmp_path / f"{name}.%04d.png"
        done = vidstyle(
            "-q", "render", shot.clip, "--style", style, "--model", tiny_model, "--device", "cpu",
            "--batch", 4, "--object", f"matte:{shot.mattes}", "--out", 7, "-o", target,
            "--flow-cache", tmp_path / "flows", *more,
        )  # fmt: skip
        assert (done.code, done.err) == (0, "")
        return np.stack([frame.image.numpy() for frame in open_clip(str(target)).frames()])

    first = render("first", style_picture)
    # Forwards and backwards; the first frame stands for its own past, which is one pair.
    assert sum(pairs) == 2 * 7 + 1
    other = render("other", other_style_picture)
    assert not pairs
    assert not np.array_equal(other, first)
    assert np.array_equal(render("again", style_picture), first)
    assert not pairs
    render("smaller", style_picture, "--flow-size", 64)
    assert pairs


def test_a_cache_that_cannot_be_is_told_before_the_work(
    vidstyle, shot, style_picture, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = vidstyle(
        "-q", "render", shot.clip, "--style", style_picture, "--flow-cache", tmp_path / "file"
    )
    assert done.code == 2
    assert "--flow-cache" in done.err
    assert done.err.count("\n") == 1
