"""The style phase: which terms there are, what they reach, and that they can be lowered."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vidstyle.motion.build import build_flow
from vidstyle.perceptual.network import build_perceptual
from vidstyle.style.build import build_network
from vidstyle.style.micro import Architecture, MicroNetwork
from vidstyle.train.config import StyleConfig, StyleWeights
from vidstyle.train.data import Crops, TrainingData
from vidstyle.train.pairs import VideoPairs, find_clips
from vidstyle.train.style import RISING, StyleData, StyleObjective

TERMS = {field.name for field in fields(StyleWeights)}
NOTHING = StyleWeights(**dict.fromkeys(TERMS, 0.0))
EVERYTHING = StyleWeights(**dict.fromkeys(TERMS, 1.0))
CLIPS = Path(__file__).parents[3] / "shared/data/davis"


def objective(
    data: TrainingData, weights: StyleWeights, moving: VideoPairs | None = None, mask: bool = False
) -> StyleObjective:
    config = StyleConfig(side=64, batch=2, weights=weights)
    contents = Crops([data.content.train], 64, (0.8, 1.2)).plain
    styles = Crops([data.styles.train], 64, (0.8, 1.2)).varied

    def masked(random: np.random.Generator) -> Tensor:
        left = torch.zeros(1, 64, 64)
        left[..., :32] = 1
        return torch.cat([contents(random), left])

    def frames(random: np.random.Generator):
        assert moving is not None
        history = moving.history(random)
        return history[0].after, history

    drawn = StyleData(masked if mask else contents, styles, frames if moving else None, styles)
    torch.manual_seed(0)
    network = MicroNetwork(Architecture("micro", 8, 8, 8, 8, (1, 1, 1, 1), attention=4))
    return StyleObjective(
        network, build_perceptual("micro"), config, drawn, drawn, ridge=0.1, seed=3, items=2
    )


def batch(of: StyleObjective, first: int = 0) -> dict[str, Tensor]:
    return torch.utils.data.default_collate([of.sample(first), of.sample(first + 1)])


def test_each_weighed_term_is_there_and_reaches_decoder_and_attention(
    training_data: TrainingData,
) -> None:
    for name in TERMS:
        one = objective(training_data, replace(NOTHING, **{name: 1.0}), mask=True)
        terms = one(batch(one))
        assert set(terms) == {name}
        assert torch.isfinite(terms[name])
    everything = objective(training_data, EVERYTHING, mask=True)
    terms = everything(batch(everything))
    assert set(terms) == TERMS
    torch.stack(list(terms.values())).sum().backward()
    for part in (everything.network.fine, everything.network.attention, everything.classifier):
        assert part is not None
        # The head's offset falls out of differences.
        moved = [p.grad for p in part.parameters() if p.grad is not None]
        assert all(torch.isfinite(gradient).all() for gradient in moved)
        assert any(gradient.abs().max() > 0 for gradient in moved)


def test_the_encoder_learns_only_from_the_other_domain(training_data: TrainingData) -> None:
    for weights, learns in ((replace(NOTHING, domain=1.0), True), (StyleWeights(), False)):
        one = objective(training_data, weights)
        one.weights(1.0)
        sum(one(batch(one)).values()).backward()
        gradients = [p.grad for p in one.network.encoder.parameters()]
        assert all((gradient is not None) == learns for gradient in gradients)


def test_style_rises_and_the_rest_is_there_from_the_start(training_data: TrainingData) -> None:
    one = objective(training_data, EVERYTHING)
    start, end = one.weights(0.0), one.weights(1.0)
    assert end == vars(EVERYTHING)
    assert {name for name in TERMS if start[name] < 1} == set(RISING)
    assert all(0 < start[name] < 0.5 for name in RISING)


def test_items_depend_on_seed_and_index_alone(training_data: TrainingData) -> None:
    one, other = (objective(training_data, EVERYTHING, mask=True) for _ in range(2))
    other.sample(7)
    for name, tensor in one.sample(4).items():
        torch.testing.assert_close(other.sample(4)[name], tensor, rtol=0, atol=0)
    assert not torch.equal(one.sample(4)["content"], one.sample(5)["content"])


def test_a_moved_photograph_takes_its_mask_along(training_data: TrainingData) -> None:
    one = objective(training_data, replace(NOTHING, temporal=1.0), mask=True)
    sample = one.sample(0)
    column = (sample["mask"][0] > 0.5).float().sum(1)
    # Its edge was at 32; where it is now, the flow tells.
    edge = 32 - sample["flow"][0, 0, 16:48, 32].mean()
    assert float(column[16:48].mean()) == pytest.approx(float(edge), abs=3)


@pytest.mark.skipif(not CLIPS.exists(), reason="needs ../shared/data")
def test_frames_of_clips_take_the_photographs_place(training_data: TrainingData) -> None:
    flow = build_flow("dis", torch.device("cpu"), 96)
    clips = [clip for clip in find_clips(CLIPS) if "libby" in str(clip.info.path)]
    pairs = VideoPairs(clips, flow, side=64, short_side=96, zoom=(1.0, 1.0), gaps=(1, 3))
    one = objective(training_data, replace(NOTHING, long_term=1.0, temporal=1.0), pairs)
    items = batch(one)
    assert items["before"].shape == (2, 2, 3, 64, 64)
    terms = one(items)
    assert terms["long_term"] >= terms["temporal"] > 0


def test_painting_is_learned(training_data: TrainingData) -> None:
    """A few steps on one batch bring the bundled model's result nearer to the style."""
    one = objective(training_data, replace(NOTHING, gram=1.0))
    one.network, _ = build_network("micro")
    items = batch(one)
    optimizer = torch.optim.Adam(one.network.fine.parameters(), 4e-4)
    losses = []
    for _ in range(8):
        loss = one(items)["gram"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
