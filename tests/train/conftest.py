"""Small folders to train on, lessons of a teacher that needs no weights, and a loop on the CPU."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import pytest
import skimage.data
import torch

from vidstyle.perceptual.network import MicroPerceptual
from vidstyle.runtime.progress import Silence
from vidstyle.style.micro import Architecture, MicroNetwork
from vidstyle.train.config import DataConfig, DistilConfig, LessonConfig, Phase, RunConfig, flat
from vidstyle.train.data import Crops, Sources, TrainingData, read_data
from vidstyle.train.distil import DistilObjective
from vidstyle.train.lessons import Lessons, LessonWriter
from vidstyle.train.loop import Trained, build_accelerator, train
from vidstyle.train.objective import Objective


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


#: Of lessons that take a second.
LESSONS = LessonConfig(count=6, side=96, zoom=(0.8, 1.0), styles=4, pictures=2, samples=4)


@pytest.fixture(scope="session")
def lessons(
    training_data: TrainingData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Lessons, Lessons]:
    """Of a teacher with few random weights: to train on, and held out."""
    folder = tmp_path_factory.mktemp("lessons")
    torch.manual_seed(1)
    teacher = MicroNetwork(Architecture("micro", 12, 12, 12, 12, (1, 1, 1, 1)))
    writer = LessonWriter(teacher, 0.01, 8, LESSONS, seed=5, device=torch.device("cpu"))
    parts = []
    for part, count in (("train", LESSONS.count), ("held_out", 3)):
        photographs, paintings = (
            Crops([getattr(split, part)], LESSONS.side, LESSONS.zoom)
            for split in (training_data.content, training_data.styles)
        )
        parts.append(writer.write(folder / part, photographs, paintings, count, lambda _: None))
    return parts[0], parts[1]


@pytest.fixture(scope="session")
def distil(lessons: tuple[Lessons, Lessons]) -> Callable[[Phase], DistilObjective]:
    """A small network that starts the same each time."""

    def distilling(phase: Phase) -> DistilObjective:
        torch.manual_seed(0)
        network = MicroNetwork(Architecture("micro", 8, 8, 8, 8, (1, 1, 1, 1)))
        assert isinstance(phase, DistilConfig)
        return DistilObjective(network, MicroPerceptual(), *lessons, phase, seed=5, items=3)

    return distilling


@dataclass(frozen=True)
class Runner:
    """Runs an objective in a folder, on the CPU; runs are compared with each other, so it is the
    same arithmetic on every machine."""

    folder: Path
    precision: str = "full"
    scaler: torch.amp.GradScaler | None = None

    def __call__(
        self,
        objective: Objective,
        phase: Phase,
        run: RunConfig | None = None,
        name: str = "run",
    ) -> Trained:
        accelerator = build_accelerator(torch.device("cpu"), self.precision)
        accelerator.scaler = self.scaler
        return train(
            objective,
            phase,
            self.folder / name,
            accelerator,
            name=name,
            average=0.9,
            run=run or RunConfig(checkpoint_every=3, validate_every=4, workers=0),
            config=flat(asdict(phase)),
            progress=Silence(),
        )


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    return Runner(tmp_path)
