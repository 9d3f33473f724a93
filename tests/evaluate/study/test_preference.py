"""Raters whose preference is known are recovered."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from vidstyle.evaluate.study.answers import Answer, Choice
from vidstyle.evaluate.study.preference import Preferences, preferences, strengths
from vidstyle.evaluate.study.study import Item, Study
from vidstyle.evaluate.study.tables import as_json, as_svg, as_text

METHODS = ("good", "fair", "poor")
TRUE = {"good": 1.0, "fair": 0.2, "poor": -1.2}
STUDY = Study("Which one?", METHODS, tuple(Item(f"{n}.png", ("a", "b", "c")) for n in range(10)))


def vote(raters: int, true: dict[str, float], ties: float = 0.0, seed: int = 0) -> list[Answer]:
    """Bradley and Terry's raters."""
    draw = np.random.default_rng(seed)
    answers = []
    for rater in range(raters):
        session = f"{rater:032x}"
        for trial in STUDY.trials_of(session):
            left, right = METHODS[trial.left], METHODS[trial.right]
            wins = draw.random() < 1 / (1 + np.exp(true[right] - true[left]))
            choice: Choice = "left" if wins else "right"
            if draw.random() < ties:
                choice = "neither"
            answers.append(Answer(session, trial.number, trial.item.name, left, right, choice))
    return answers


@pytest.fixture(scope="module")
def found() -> Preferences:
    return preferences(METHODS, vote(20, TRUE, ties=0.1))


def test_known_strengths_are_recovered(found) -> None:
    assert [score.method for score in found.scores] == list(METHODS)
    for score in found.scores:
        assert score.low < TRUE[score.method] * 0.9 < score.high  # ties draw them together
        assert score.high - score.low < 1
    assert (found.raters, found.votes) == (20, 20 * 30)


def test_rates_hold_the_truth_and_the_sign_test_sees_it(found) -> None:
    for pair in found.pairs:
        first, second = pair.methods
        assert pair.rate.low < 1 / (1 + np.exp(TRUE[second] - TRUE[first])) < pair.rate.high
        assert pair.p <= pair.q < 0.01
    assert found.left.low < 0.5 < found.left.high


def test_raters_without_preference_are_not_read_into() -> None:
    answers = vote(20, dict.fromkeys(METHODS, 0.0), seed=1)
    for pair in preferences(METHODS, answers).pairs:
        assert pair.q > 0.05
        assert pair.rate.low < 0.5 < pair.rate.high


def test_wilsons_interval_as_published() -> None:
    """Newcombe (Statistics in Medicine, 1998), table I: 81 of 263 gives 0.2553 to 0.3662."""
    answers = [
        Answer(f"{n:032x}", 0, "a", "good", "fair", "left" if n < 81 else "right")
        for n in range(263)
    ]
    rate = preferences(METHODS[:2], answers).pairs[0].rate
    assert (rate.low, rate.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_strengths_of_two_are_the_log_odds() -> None:
    first, second = strengths(np.array([[0.0, 3000.0], [1000.0, 0.0]]))
    assert first - second == pytest.approx(np.log(3), abs=1e-3)


def test_one_rater_and_unanimity_stay_finite() -> None:
    answers = [Answer("0" * 32, 0, "a", "good", "poor", "left", 5)]
    one = preferences(METHODS, answers)
    assert one.scores[0].method == "good"
    assert all(np.isfinite(score.strength) for score in one.scores)
    told = json.loads(as_json(STUDY, one))
    assert told["scores"][0]["low"] is None
    assert "–" in as_text(STUDY, one)
    ElementTree.fromstring(as_svg(STUDY, one))


def test_text_and_plot_name_all(found) -> None:
    text = as_text(STUDY, found)
    assert "600 votes of 20 raters on 10 items" in text
    assert "good over poor" in text
    drawn = " ".join(ElementTree.fromstring(as_svg(STUDY, found)).itertext())
    assert all(method in drawn for method in METHODS)
