"""A run in two phases: what it keeps of an earlier one, and what it does again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidstyle.errors import Cancelled, UsageError
from vidstyle.runtime.progress import Silence
from vidstyle.style.build import build_network
from vidstyle.style.micro import Architecture
from vidstyle.train import job
from vidstyle.train.config import DataConfig, DistilConfig, RunConfig, StyleConfig, TrainConfig
from vidstyle.train.data import Sources, read_data
from vidstyle.train.job import TrainJob

LESSONS = replace(DistilConfig().lessons, count=2, side=96, styles=1, pictures=2, samples=1)
CONFIG = TrainConfig(
    teacher="micro",
    perceptual="micro",
    validation=1,
    architecture=Architecture("micro", 8, 8, 8, 8, (1, 1, 1, 1)),
    data=DataConfig(96, 96),
    distil=DistilConfig(steps=2, batch=1, side=64, lessons=LESSONS),
    style=StyleConfig(steps=1, batch=1, side=64),
    run=RunConfig(device="cpu", workers=0),
)

Begin = Callable[..., None]


@pytest.fixture
def begin(sources: Sources, tmp_path: Path) -> Begin:
    """Starts a run; whatever differs from :data:`CONFIG` is given."""

    def beginning(config: TrainConfig = CONFIG, **of_job: object) -> None:
        begun = TrainJob(sources, config, tmp_path / "work", tmp_path / "model")
        job.run(replace(begun, **of_job), Silence())

    return beginning


@pytest.fixture
def learn(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Starts a run that is stopped once the lessons are there; when the first was written."""

    def stop(*_: object, **__: object) -> None:
        raise Cancelled("cancelled")

    def learning(*config: TrainConfig, **of_job: object) -> int:
        with monkeypatch.context() as patched:
            patched.setattr(job, "train", stop)
            with pytest.raises(Cancelled):
                begin(*config, **of_job)
        return (tmp_path / "work/distil/lessons/train/000000.npz").stat().st_mtime_ns

    return learning


def test_lessons_of_another_run_are_not_learned(learn: Callable[..., int]) -> None:
    first = learn()
    assert learn(resume=True) == first
    more = replace(CONFIG.distil, lessons=replace(LESSONS, count=3))
    assert learn(replace(CONFIG, distil=more), resume=True) == first
    other = learn(replace(CONFIG, seed=8), resume=True)
    assert other > first
    assert learn(replace(CONFIG, seed=8)) > other


def test_a_run_that_cannot_go_on_keeps_its_lessons(begin: Begin, learn: Callable[..., int]) -> None:
    written = learn()
    begin(resume=True)
    with pytest.raises(UsageError, match="seed = 7, not 8"):
        begin(replace(CONFIG, seed=8), resume=True, overwrite=True)
    assert learn(resume=True, overwrite=True) == written


def test_pictures_held_out_are_not_trained_on_later(begin: Begin, sources: Sources) -> None:
    begin()
    others = replace(sources, held_out=())
    with pytest.raises(UsageError, match="made with data ="):
        begin(sources=others, resume=True, overwrite=True)


def test_other_masks_are_other_data(sources: Sources, tmp_path: Path) -> None:
    masks, digests = tmp_path / "masks", set()
    masks.mkdir()
    for white in (slice(0, 80), slice(80, 160)):  # files of the same size
        mask = np.zeros((160, 240), np.uint8)
        mask[white] = 255
        cv2.imwrite(str(masks / "coffee.png"), mask)
        digests.add(read_data(replace(sources, masks=masks), CONFIG.data).digest)
    assert len(digests) == 2


def test_more_minutes_do_not_reopen_the_first_phase(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its second has begun on what it came to."""
    phases, train = [], job.train

    def trained(*arguments: object, **named: object) -> object:
        phases.append(train(*arguments, **named))
        return phases[-1]

    monkeypatch.setattr(job, "train", trained)
    endless = replace(CONFIG, distil=replace(CONFIG.distil, steps=10**6))
    begin(endless, minutes=0.01)
    begin(endless, minutes=0.2, resume=True, overwrite=True)
    first, _, again, _ = (each.steps for each in phases)
    assert again == first


def test_a_model_grows_and_may_be_kept(begin: Begin, tmp_path: Path) -> None:
    begin()
    first, _ = build_network(str(tmp_path / "model"))
    more = replace(CONFIG, start=str(tmp_path / "model"), grow=(0, 0, 1, 0))
    kept = replace(more, distil=replace(CONFIG.distil, keep=1.0), style=StyleConfig(steps=0))
    begin(kept, work=tmp_path / "again", output=tmp_path / "deeper")
    deeper, _ = build_network(str(tmp_path / "deeper"))
    pictures = torch.rand(1, 3, 64, 64)
    assert deeper.architecture.depth == (1, 1, 2, 1)
    torch.testing.assert_close(
        deeper.decode(deeper.encode(pictures)), first.decode(first.encode(pictures))
    )
