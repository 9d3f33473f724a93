"""The first phase: it learns, and draws the same whoever asks."""

import torch

from vidstyle.train.config import DistilConfig
from vidstyle.train.record import read_curves


def test_training_lowers_every_term(run, distil, training_data) -> None:
    phase = DistilConfig(steps=60, batch=2, side=64, warm_up=5, samples=8, rate=5e-3)
    trained = run(distil(training_data, phase), phase)
    curves = read_curves(run.folder / "run")
    assert trained.steps == len(curves) == 60
    for term in ("features", "bands", "picture"):
        first, last = (sum(step[term] for step in part) for part in (curves[:5], curves[-5:]))
        assert last < 0.8 * first
    early = next(step for step in curves if "validation/loss" in step)
    assert trained.validation["loss"] < early["validation/loss"]


def test_items_depend_on_seed_and_index_alone(distil, training_data) -> None:
    phase = DistilConfig(side=64, samples=2)
    one, other = (distil(training_data, phase) for _ in range(2))
    one.sample(3)
    for name, drawn in one.sample(7).items():
        assert torch.equal(drawn, other.sample(7)[name])
    assert not torch.equal(one.sample(7)["picture"], one.sample(8)["picture"])
    kept = [item["picture"] for item in one.held_out()]
    assert all(map(torch.equal, kept, (item["picture"] for item in other.held_out())))


def test_teacher_is_not_trained_nor_stored(distil, training_data) -> None:
    objective = distil(training_data, DistilConfig(side=64, samples=2))
    assert not any(parameter.requires_grad for parameter in objective.teacher.parameters())
    assert not any(name.startswith("teacher.") for name in objective.kept_state())
    assert "components" in objective.kept_state()
