"""The first phase: lessons, and a student that learns from them."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.errors import UsageError, WeightsError
from vidstyle.style.micro import Architecture, MicroNetwork
from vidstyle.style.transform import AffineMap, Statistics
from vidstyle.train.config import DistilConfig, DistilWeights
from vidstyle.train.data import Crops
from vidstyle.train.lessons import Lessons, LessonWriter, cropped
from vidstyle.train.record import read_curves

PHASE = DistilConfig(
    side=64,
    lessons=replace(DistilConfig().lessons, side=96, pictures=2),
    weights=DistilWeights(texture=0),
)


def test_training_lowers_the_loss(run, distil) -> None:
    """Of the terms, ``bands`` may rise while ``energy`` falls: strokes that are not quite where the
    teacher's are differ more from them than none do."""
    phase = replace(PHASE, steps=60, batch=2, warm_up=5, rate=5e-3)
    trained = run(distil(phase), phase)
    curves = read_curves(run.folder / "run")
    assert trained.steps == len(curves) == 60
    for term in ("features", "energy", "loss"):
        first, last = (sum(step[term] for step in part) for part in (curves[:5], curves[-5:]))
        assert last < 0.9 * first
    early = next(step for step in curves if "validation/loss" in step)
    assert trained.validation["loss"] < early["validation/loss"]


def test_a_run_that_had_ended_is_judged_as_at_its_end(run, distil) -> None:
    """By all terms, those that the run begins without among them."""
    phase = replace(PHASE, steps=1, batch=1, weights=DistilWeights(texture=2))
    ended = run(distil(phase), phase)
    assert ended.validation["texture"] > 0
    assert run(distil(phase), phase).validation == ended.validation


def test_items_depend_on_seed_and_index_alone(distil) -> None:
    one, other = (distil(PHASE) for _ in range(2))
    one.sample(3)
    for name, drawn in one.sample(7).items():
        assert torch.equal(drawn, other.sample(7)[name])
    assert not torch.equal(one.sample(7)["content"], one.sample(8)["content"])
    kept = [item["content"] for item in one.held_out()]
    assert all(map(torch.equal, kept, (item["content"] for item in other.held_out())))


def test_the_decoder_is_shown_what_the_teacher_sees_at_first(distil) -> None:
    """And what the student sees at the end; of what is held out, always."""
    objective = distil(PHASE)
    with torch.no_grad():
        for parameter in objective.network.encoder.parameters():
            parameter.zero_()  # a blind student
    batch = torch.utils.data.default_collate([objective.sample(0)])
    seen = {}
    for progress in (0.0, 1.0):
        objective.weights(progress)
        seen[progress] = float(objective(batch)["bands"].detach())
    assert seen[0.0] != seen[1.0]
    kept = torch.utils.data.default_collate(objective.held_out()[:1])
    values = set()
    for progress in (0.0, 0.5, 1.0):
        objective.weights(progress)
        values.add(float(objective(kept)["bands"].detach()))
    assert len(values) == 1


def test_texture_is_compared_once_the_halves_are_joined(distil) -> None:
    """With the teacher's pictures, which have it, and blurred ones, which have not."""
    objective = distil(replace(PHASE, weights=DistilWeights(texture=2)))
    middle = torch.full((1, 2), 0.5)
    pictures = torch.utils.data.default_collate(objective.held_out()[:1])["pictures"][0]
    blurred = torch.nn.functional.avg_pool2d(pictures, 5, 1, 2, count_include_pad=False)
    assert objective.weights(0.5)["texture"] == 0
    assert float(objective._untextured(blurred, pictures, middle)) == 0
    assert objective.weights(0.9)["texture"] == 2
    assert float(objective._untextured(pictures, pictures, middle)) == 0
    between = torch.lerp(pictures, blurred, 0.5)
    more = float(objective._untextured(between, pictures, middle))
    assert float(objective._untextured(blurred, pictures, middle)) > 1.5 * more > 0


def test_texture_is_compared_on_a_square_of_each_crop(distil) -> None:
    """The same one in all styles of a lesson; what lies outside does not count."""
    objective = distil(replace(PHASE, texture_side=32, weights=DistilWeights(texture=1)))
    objective.weights(1.0)
    corner, other = torch.zeros(1, 2), torch.ones(1, 2)
    pictures = torch.rand(2, 3, 48, 48)
    damaged = pictures.clone()
    damaged[..., :16, :] = 0
    assert float(objective._untextured(damaged, pictures, other)) == 0
    assert float(objective._untextured(damaged, pictures, corner)) > 0.1
    drawn = torch.stack([objective.sample(number)["part"] for number in range(9)])
    assert len(drawn.unique()) == 18


def test_a_second_look_is_compared_place_by_place(distil) -> None:
    """A network whose pictures follow what it sees is steady, however it is looked at."""
    objective = distil(PHASE)
    batch = torch.utils.data.default_collate([objective.sample(number) for number in range(3)])
    assert batch["moved"].abs().max() <= 7
    assert len(batch["moved"].unique(dim=0)) > 1
    objective.network.encode = lambda images: images  # type: ignore[method-assign]
    objective._decoded = lambda seen, _: seen.repeat_interleave(2, 0)  # type: ignore[method-assign]
    same = {**batch, "content": batch["content"] * 0, "again": batch["again"] * 0}
    assert float(objective._unsteady(same["content"].repeat_interleave(2, 0), same)) == 0
    clean = {key: value.clone() for key, value in batch.items()}
    lesson = torch.randn(1, 3, 64 + 14, 64 + 14)
    clean["content"] = lesson[..., 7:71, 7:71].repeat(3, 1, 1, 1)
    clean["again"] = torch.cat(
        [lesson[..., 7 + y : 71 + y, 7 + x : 71 + x] for y, x in batch["moved"].tolist()]
    )
    assert float(objective._unsteady(clean["content"].repeat_interleave(2, 0), clean)) < 1e-5
    still = {**clean, "moved": torch.zeros_like(batch["moved"])}
    assert float(objective._unsteady(still["content"].repeat_interleave(2, 0), still)) > 0.1


def test_half_of_a_batch_is_looked_at_twice(distil) -> None:
    objective = distil(PHASE)
    seen: list[int] = []
    encode = objective.network.encode
    objective.network.encode = lambda images: seen.append(len(images)) or encode(images)
    for count in (1, 3, 4):
        items = [objective.sample(number) for number in range(count)]
        objective(torch.utils.data.default_collate(items))
    assert seen == [1, 1, 3, 2, 4, 2]


def test_a_lesson_is_what_the_teacher_makes_of_it(lessons: tuple[Lessons, Lessons]) -> None:
    lesson = lessons[0][0]
    assert lesson.content.shape == (3, 96, 96)
    assert lesson.pictures.shape == (2, 3, 96, 96)
    moved = AffineMap(
        torch.from_numpy(lesson.matrix[0]), torch.zeros(8), torch.from_numpy(lesson.offset[0])
    )(torch.from_numpy(lesson.features[None].astype(np.float32)))
    assert moved.shape == (1, 8, 12, 12)
    assert torch.isfinite(moved).all()
    assert (lesson.pictures[0].astype(int) - lesson.content).std() > 1


def test_a_mix_of_two_styles_lies_between_them() -> None:
    one, other = (Statistics.gather(torch.randn(1, 3, 9, 9) * k + k) for k in (1.0, 3.0))
    mixed = one.weighing(0.25) + other.weighing(0.75)
    torch.testing.assert_close(mixed.mean, 0.25 * one.mean + 0.75 * other.mean)
    spread = mixed.covariance.diagonal()
    assert (spread > one.covariance.diagonal()).all()
    assert torch.isclose(one.weighing(7).weight, torch.tensor(7.0, dtype=torch.float64))


def test_features_follow_a_crop_off_their_grid(lessons: tuple[Lessons, Lessons]) -> None:
    lesson = lessons[0][0]
    whole = lesson.features.astype(np.float32)
    for top, part in ((8, 0.0), (12, 0.5)):
        content, pictures, features = cropped(lesson, top, 16, 64)
        assert content.shape == (3, 64, 64)
        assert pictures.shape == (2, 3, 64, 64)
        wanted = (1 - part) * whole[:, 1:9, 2:10] + part * whole[:, 2:10, 2:10]
        np.testing.assert_allclose(features, wanted, atol=1e-5)


def test_a_student_that_has_learned_is_told_in_its_own_axes(training_data, tmp_path: Path) -> None:
    """One that sees what the teacher does, turned, larger and shifted, has nothing to learn."""
    torch.manual_seed(1)
    teacher = MicroNetwork(Architecture("micro", 6, 8, 8, 8, (1, 1, 1, 1)))
    student = copy.deepcopy(teacher)
    last = student.encoder.coarse[-1]
    turn, _ = torch.linalg.qr(torch.randn(6, 6))
    with torch.no_grad():
        last.weight.copy_(torch.einsum("dc,cikl->dikl", 2.5 * turn, last.weight))
        last.bias.copy_(2.5 * turn @ last.bias + 0.7)
    config = replace(PHASE.lessons, side=64, styles=1, samples=2)
    crops = Crops([training_data.content.train], 64, (0.8, 1.0))
    off = {}
    for told in (None, student):
        writer = LessonWriter(
            teacher, 0.01, 6, config, seed=0, device=torch.device("cpu"), student=told
        )
        folder = tmp_path / str(told is None) / "train"
        lesson = writer.write(folder, crops, crops, 1, lambda _: None)[0]
        with torch.inference_mode():
            seen = student.encode(torch.from_numpy(lesson.content)[None] / 255)[0]
        off[told is None] = np.abs(seen.numpy() - lesson.features).max() / float(seen.std())
    assert off[False] < 0.01 < 0.5 < off[True]


def test_lessons_that_are_there_are_kept(training_data, tmp_path: Path) -> None:
    """A run that goes on writes only what is missing, and damage is named."""
    torch.manual_seed(1)
    teacher = MicroNetwork(Architecture("micro", 4, 4, 4, 4, (0, 0, 0, 0)))
    config = replace(PHASE.lessons, side=64, styles=1, samples=1)
    crops = Crops([training_data.content.train], 64, (0.8, 1.0))

    def write(channels: int = 4) -> Lessons:
        writer = LessonWriter(teacher, 0.01, channels, config, seed=0, device=torch.device("cpu"))
        return writer.write(tmp_path / "lessons", crops, crops, 2, lambda _: None)

    first = write()[1]
    times = [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("lessons/*.npz"))]
    np.testing.assert_array_equal(write()[1].pictures, first.pictures)
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("lessons/*.npz"))] == times
    (tmp_path / "lessons" / "000001.npz").unlink()
    np.testing.assert_array_equal(write()[1].pictures, first.pictures)
    (tmp_path / "lessons" / "000001.npz").write_bytes(b"PK")
    with pytest.raises(WeightsError, match=r"000001\.npz: damaged"):
        write()[1]
    with pytest.raises(UsageError, match="the teacher has 4 channels only"):
        write(channels=5)
