"""Small folders to train on, a teacher that needs no weights, and a loop on the CPU."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import pytest
import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.progress import Silence
from vidstyle.style.network import Architecture, StyleNetwork
from vidstyle.train.config import DataConfig, DistilConfig, Phase, RunConfig, flat
from vidstyle.train.data import Sources, TrainingData, read_data
from vidstyle.train.distil import DistilObjective
from vidstyle.train.loop import Trained, build_accelerator, train
from vidstyle.train.objective import Objective
from vidstyle.train.teacher import Teacher


class RandomTeacher(Teacher):
    """Few random weights: enough of a teacher to learn from."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.name, self.layers = "random", ("relu3_1",)
        self.network = torch.nn.Sequential(
            *(torch.nn.Conv2d(3, 16, 3, 2, 1), torch.nn.ReLU()),
            *(torch.nn.Conv2d(16, 24, 3, 2, 1), torch.nn.ReLU()),
        )
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"relu3_1": self.network(4 * images - 2)}

    def on_grid(self, images: Tensor) -> Tensor:
        return self(F.pad(images, (2, 2, 2, 2), mode="reflect"))["relu3_1"]


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """Four photographs and three pictures of style, 240x160 and less."""
    root = tmp_path_factory.mktemp("pictures")
    kinds = {
        "photographs": ("astronaut", "chelsea", "coffee", "rocket"),
        "styles": ("immunohistochemistry", "retina", "colorwheel"),
    }
    for kind, names in kinds.items():
        (root / kind).mkdir()
        for name in names:
            picture = getattr(skimage.data, name)()[..., :3]
            small = cv2.resize(picture, (240, 160), interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(root / kind / f"{name}.png"), small[..., ::-1])
    held_out = ("coffee", "retina")
    return Sources(root / "photographs", root / "styles", held_out=held_out)


@pytest.fixture(scope="session")
def training_data(sources: Sources) -> TrainingData:
    return read_data(sources, DataConfig(content_side=96, style_side=96))


def distilling(data: TrainingData, phase: Phase) -> DistilObjective:
    """A small network that starts the same each time."""
    torch.manual_seed(0)
    network = StyleNetwork(Architecture(texture=8, depth=1))
    assert isinstance(phase, DistilConfig)
    return DistilObjective(network, RandomTeacher(), data, phase, seed=5, validation=3)


@dataclass(frozen=True)
class Runner:
    """Runs an objective in a folder, on the CPU."""

    folder: Path

    def __call__(
        self,
        objective: Objective,
        phase: Phase,
        run: RunConfig | None = None,
        name: str = "run",
    ) -> Trained:
        return train(
            objective,
            phase,
            self.folder / name,
            build_accelerator(torch.device("cpu")),
            name=name,
            average=0.9,
            run=run or RunConfig(checkpoint_every=3, validate_every=4, workers=0),
            config=flat(asdict(phase)),
            progress=Silence(),
        )


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.fixture(scope="session")
def distil() -> Callable[[TrainingData, Phase], DistilObjective]:
    return distilling
