"""``vidstyle train`` from folders to a model that renders."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from safetensors.torch import load_file

from vidstyle.perceptual.network import build_perceptual
from vidstyle.style.build import build_stylizer
from vidstyle.train.config import read_config
from vidstyle.train.data import Pictures
from vidstyle.train.record import read_curves
from vidstyle.train.score import restyled, score

RECIPE = """
validation = 2
[architecture]
features = 8
fine = 8
coarse = 8
brush = 8
depth = [1, 1, 1, 1]
[data]
content_side = 96
style_side = 96
[distil]
steps = 4
batch = 2
side = 64
[distil.lessons]
count = 3
side = 96
styles = 2
pictures = 2
samples = 2
[style]
steps = 2
batch = 1
side = 64
[run]
workers = 0
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Photographs, styles, and a recipe that takes seconds."""
    root = tmp_path_factory.mktemp("training")
    kinds = {"photographs": ("astronaut", "chelsea", "coffee"), "styles": ("retina", "rocket")}
    for kind, names in kinds.items():
        (root / kind).mkdir()
        for name in names:
            small = cv2.resize(getattr(skimage.data, name)(), (182, 121))
            cv2.imwrite(str(root / kind / f"{name}.png"), small[..., ::-1])
    (root / "recipe.toml").write_text(RECIPE)
    return root / "photographs", root / "styles", root / "recipe.toml"


@pytest.fixture
def arguments(folders: tuple[Path, Path, Path], tmp_path: Path) -> list[object]:
    content, styles, recipe = folders
    named = ["--content", content, "--styles", styles, "--config", recipe, "--device", "cpu"]
    networks = ["--teacher", "micro", "--perceptual", "micro"]
    return ["train", *named, *networks, "-o", tmp_path / "mine"]


def test_a_model_that_renders(vidstyle, arguments, tmp_path: Path) -> None:
    done = vidstyle(*arguments, "--held-out", "coffee", "--held-out", "retina")
    assert done.code == 0, done.err
    assert done.out.strip() == str(tmp_path / "mine")
    model = tmp_path / "mine"
    files = {file.name for file in model.iterdir()}
    assert files == {
        *("weights.safetensors", "config.toml", "training.toml"),
        *("README.md", "samples.jpg"),
    }
    assert {file.name for file in tmp_path.iterdir()} == {"mine", "mine.training"}
    assert read_config(model / "training.toml").architecture.features == 8
    card = (model / "README.md").read_text()
    assert "3 photographs of `photographs`; held out: coffee" in card
    assert "--held-out coffee --held-out retina -o mine" in card
    stylizer = build_stylizer(str(model), torch.device("cpu"))
    plate = torch.from_numpy(skimage.data.coffee()[:96, :128].copy())
    plate = plate.permute(2, 0, 1)[None].float() / 255
    result = restyled(stylizer, plate, plate.flip(1))
    assert result.shape == plate.shape
    assert (result - plate).abs().mean() > 0.02


def test_a_run_is_neither_repeated_nor_replaced_by_accident(vidstyle, arguments) -> None:
    assert vidstyle(*arguments).code == 0
    again = vidstyle(*arguments)
    assert again.code == 2
    assert "mine: is already there; give --overwrite" in again.err
    assert "already there" in vidstyle(*arguments, "--resume").out
    resumed = vidstyle(*arguments, "--resume", "--overwrite")
    assert resumed.code == 0
    other = vidstyle(*arguments, "--resume", "--overwrite", "--seed", 9)
    assert other.code == 2
    assert "seed = 7, not 9" in other.err
    assert vidstyle(*arguments, "--overwrite", "--seed", 9).code == 0


def test_part_of_the_way_back_to_the_distilled_weights(vidstyle, arguments, tmp_path) -> None:
    """``style.keep`` is applied after training: another takes no new run, and lies between."""
    kept = {}
    for keep in (0.0, 0.5, 1.0):
        recipe = tmp_path / f"keep-{keep}.toml"
        style = f"[style]\nkeep = {keep}\nrate = 0.05\nwarm_up = 1"
        recipe.write_text("average = 0.1\n" + RECIPE.replace("[style]", style))
        done = vidstyle(*arguments, "--config", recipe, "--resume", "--overwrite")
        assert done.code == 0, done.err
        kept[keep] = load_file(tmp_path / "mine" / "weights.safetensors")
    trained, half, distilled = (kept[keep] for keep in (0.0, 0.5, 1.0))
    assert max((trained[name] - distilled[name]).abs().max() for name in trained) > 0.01
    for name in trained:
        middle = (trained[name].float() + distilled[name].float()) / 2
        assert torch.allclose(half[name].float(), middle, atol=2e-3), name


def test_a_distillation_goes_on_from_a_model(vidstyle, arguments, tmp_path: Path) -> None:
    """At next to no rate it comes out as it went in, sizes and all."""
    assert vidstyle(*arguments).code == 0
    recipe = tmp_path / "on.toml"
    on = RECIPE.partition("[architecture]")[0] + "[data]" + RECIPE.partition("[data]")[2]
    on = on.replace("steps = 4", "steps = 2\nrate = 1e-9").replace("[style]\nsteps = 2", "[style]")
    recipe.write_text(f"start = '{tmp_path / 'mine'}'\n{on}")
    done = vidstyle(*arguments[:-1], tmp_path / "further", "--config", recipe)
    assert done.code == 0, done.err
    before, after = (
        load_file(tmp_path / name / "weights.safetensors") for name in ("mine", "further")
    )
    for name, weights in before.items():
        assert torch.allclose(after[name].float(), weights.float(), atol=1e-3), name


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--held-out", "cofee"], 2, "--held-out cofee: nothing has this name; try coffee"),
        (["--perceptual", "nobody"], 2, "--perceptual nobody: no such file"),
        (["--teacher", "nobody"], 4, "nobody: no such style model"),
        (["--object", "person"], 2, "without --shot: --object does not apply here"),
        (["--shot", "in.mp4"], 2, "--shot: --content and --styles does not apply here"),
        (["--videos", "nowhere"], 3, "--videos nowhere: no such folder"),
        (["--config", "nowhere.toml"], 2, "nowhere.toml: cannot be read"),
    ],
)
def test_what_cannot_be_meant(vidstyle, arguments, tmp_path, more, code, message) -> None:
    done = vidstyle(*arguments, *more)
    assert (done.code, done.err.count("\n")) == (code, 1), done.err
    assert message in done.err
    assert not (tmp_path / "mine").exists()


def test_a_shot_is_tuned_for_as_many_steps_as_asked(
    vidstyle, shot, tiny_model, style_picture, tmp_path: Path
) -> None:
    done = vidstyle(
        "-q", "train", "--shot", shot.clip, "--style", style_picture, "--model", tiny_model,
        "--perceptual", "micro", "--steps", 2, "-o", tmp_path / "hero",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "\n2 steps in " in (tmp_path / "hero" / "README.md").read_text(encoding="utf-8")


def test_an_empty_folder(vidstyle, arguments, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = vidstyle(*arguments, "--content", tmp_path / "empty")
    assert done.code == 3
    assert "empty: no pictures in this folder" in done.err


@pytest.fixture(scope="module")
def eight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Eight photographs and two pictures of style."""
    root = tmp_path_factory.mktemp("eight")
    (root / "content").mkdir()
    (root / "styles").mkdir()
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        picture = getattr(skimage.data, name)()
        half = picture.shape[1] // 2
        for side, part in (("left", picture[:, :half]), ("right", picture[:, half:])):
            cv2.imwrite(str(root / "content" / f"{name}-{side}.png"), part[..., ::-1])
    for name in ("retina", "immunohistochemistry"):
        picture = cv2.resize(getattr(skimage.data, name)(), (256, 256))
        cv2.imwrite(str(root / "styles" / f"{name}.png"), picture[..., ::-1])
    return root / "content", root / "styles"


def test_two_minutes_on_eight_photographs(vidstyle, eight, tmp_path: Path) -> None:
    """Both phases lower their loss, and what comes of them paints."""
    content, styles = eight
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "validation = 4\naverage = 0.9\n"
        "[architecture]\nfeatures = 16\nfine = 16\ncoarse = 24\nbrush = 24\n"
        "depth = [1, 2, 2, 2]\nattention = 4\n"
        "[data]\ncontent_side = 128\nstyle_side = 128\n"
        "[distil]\nsteps = 150\nbatch = 4\nside = 64\nrate = 4e-3\nwarm_up = 5\n"
        "[distil.lessons]\ncount = 24\nside = 96\nstyles = 8\npictures = 2\nsamples = 8\n"
        "[style]\nsteps = 60\nbatch = 2\nside = 96\nrate = 5e-4\nwarm_up = 2\nrise = 0.0\n"
        "[run]\nworkers = 0\nvalidate_every = 5\n"
    )
    named = ["--content", content, "--styles", styles, "--config", recipe, "--device", "cpu"]
    limits = ["--minutes", 2, "--teacher", "micro", "--perceptual", "micro"]
    done = vidstyle("train", *named, *limits, "-o", tmp_path / "mine")
    assert done.code == 0, done.err
    distilled = read_curves(tmp_path / "mine.training" / "distil")
    first, last = (np.mean([step["loss"] for step in part]) for part in (
        distilled[:10], distilled[-10:]
    ))  # fmt: skip
    assert last < 0.7 * first
    painted = [
        step["validation/loss"]
        for step in read_curves(tmp_path / "mine.training" / "style")
        if "validation/loss" in step
    ]
    assert painted[-1] < painted[0]
    stylizer = build_stylizer(str(tmp_path / "mine"), torch.device("cpu"))
    photographs, paintings = (
        Pictures(sorted(folder.iterdir())[:2], 128) for folder in (content, styles)
    )
    scored = score(stylizer, build_perceptual("micro"), photographs, paintings)
    # Nothing of the plate comes through unpainted: all of this was learned, in a minute.
    assert scored.after < 0.8 * scored.before
