"""Training: it learns, and it resumes to the same numbers."""

import json
from pathlib import Path

import pytest
import skimage.data
import torch
from torch import Tensor

from vidstyle.style.network import Architecture, StyleNetwork
from vidstyle.train.distil import Distiller, Recipe
from vidstyle.train.losses.style import gram, gram_distance
from vidstyle.train.teacher import Teacher

RECIPE = Recipe(steps=6, batch=2, side=64, warm_up=1, samples=4)


class RandomTeacher(Teacher):
    """The teacher's interface with few random weights: enough of a teacher to learn from."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        torch.manual_seed(1)
        self.layers = {3: "relu3_1"}
        self.network = torch.nn.Sequential(
            *(torch.nn.Conv2d(3, 16, 3, 2, 1), torch.nn.ReLU()),
            *(torch.nn.Conv2d(16, 24, 3, 2, 1), torch.nn.ReLU()),
        )
        self.register_buffer("mean", torch.full((3, 1, 1), 0.5))
        self.register_buffer("std", torch.full((3, 1, 1), 0.25))
        self.requires_grad_(False)


@pytest.fixture(scope="module")
def pictures() -> list[Tensor]:
    names = (skimage.data.chelsea(), skimage.data.coffee())
    return [torch.from_numpy(picture[:200, :300].copy()).movedim(-1, 0) for picture in names]


def _train(folder: Path, pictures: list[Tensor], recipe: Recipe) -> list[dict[str, float]]:
    torch.manual_seed(0)
    network = StyleNetwork(Architecture(texture=8, depth=1))
    Distiller(network, RandomTeacher(), pictures, recipe, folder).run(checkpoint_every=3)
    return [json.loads(line) for line in (folder / "curves.jsonl").read_text().splitlines()]


def test_an_interrupted_run_resumes_to_the_same_losses(
    tmp_path: Path, pictures: list[Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    through = _train(tmp_path / "through", pictures, RECIPE)
    step = Distiller._step

    def interrupted(self: Distiller, number: int) -> dict[str, float]:
        if number == 3:
            raise KeyboardInterrupt
        return step(self, number)

    monkeypatch.setattr(Distiller, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _train(tmp_path / "cut", pictures, RECIPE)
    monkeypatch.undo()
    assert _train(tmp_path / "cut", pictures, RECIPE) == through


def test_training_lowers_every_term(tmp_path: Path, pictures: list[Tensor]) -> None:
    recipe = Recipe(steps=80, batch=2, side=64, warm_up=5, samples=8, rate=5e-3)
    losses = _train(tmp_path, pictures, recipe)
    for term in ("features", "bands", "picture"):
        first = sum(step[term] for step in losses[:5])
        last = sum(step[term] for step in losses[-5:])
        assert last < 0.7 * first


def test_gram_by_hand() -> None:
    """Two channels on three places: products over places, divided by their number."""
    features = torch.tensor([[[[1.0, 2.0, 3.0]], [[0.0, 1.0, -1.0]]]])
    wanted = torch.tensor([[[14 / 3, -1 / 3], [-1 / 3, 2 / 3]]])
    torch.testing.assert_close(gram(features), wanted)


def test_gram_distance_by_hand() -> None:
    ones, twos = torch.ones(1, 2, 2), torch.full((1, 2, 2), 2.0)
    assert gram_distance(ones, twos) == pytest.approx(4 / 16)
