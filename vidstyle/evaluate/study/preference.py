"""Preferences and their confidence from raters' answers.

Every interval is a 95 % interval. "Neither" is excluded from rates and from the sign test (Dixon
and Mood, 1946), and counts as half a win for both in Bradley and Terry's strengths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import choix
import numpy as np
from numpy.typing import NDArray
from scipy import stats

from vidstyle.evaluate.study.answers import Answer

CONFIDENCE = 0.95
#: Bootstrap resamples of raters for the intervals of scores.
RESAMPLES = 400
#: Regularises scores by about as much as one vote against: they stay finite where a method never
#: loses, or two were never compared.
PRIOR = 0.1

Wins = NDArray[np.float64]


@dataclass(frozen=True)
class Rate:
    """A share of votes with its interval (Wilson, 1927); without votes, a half within 0 to 1."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, wins: int, votes: int) -> "Rate":
        """From ``wins`` out of ``votes``, not counting "neither"."""
        if not votes:
            return cls(0.5, 0.0, 1.0)
        low, high = stats.binomtest(wins, votes).proportion_ci(CONFIDENCE, "wilson")
        return cls(wins / votes, float(low), float(high))


@dataclass(frozen=True)
class Pair:
    """Two methods.

    Attributes:
        wins: votes for the first, for the second, for neither.
        rate: of the first over the second.
        p: of the two-sided sign test: the chance of votes this uneven if neither is preferred.
        q: the same, corrected for multiple pairs (Benjamini and Hochberg, 1995).
    """

    methods: tuple[str, str]
    wins: tuple[int, int, int]
    rate: Rate
    p: float
    q: float


@dataclass(frozen=True)
class Score:
    """A method against all others.

    Attributes:
        rate: share of votes that it won.
        strength: Bradley and Terry's (1952): a method beats another with probability
            1 / (1 + exp(other − own)). Strengths sum to 0.
        low, high: interval of the strength, by resampling raters, since one rater's votes are
            correlated (bootstrap, Efron 1979).
    """

    method: str
    rate: Rate
    strength: float
    low: float
    high: float


@dataclass(frozen=True)
class Preferences:
    """The outcome of a study.

    Attributes:
        scores: best first.
        left: share of wins of the left side, of the votes for either side: far from a half,
            raters did not look.
    """

    raters: int
    votes: int
    scores: tuple[Score, ...]
    pairs: tuple[Pair, ...]
    left: Rate


def preferences(methods: Sequence[str], answers: Sequence[Answer]) -> Preferences:
    """
    Args:
        methods: every method of the study, with or without votes.
    """
    number = {method: index for index, method in enumerate(methods)}
    sessions = sorted({answer.session for answer in answers})
    tallies = np.zeros((len(sessions), len(methods), len(methods)))
    for answer in answers:
        left, right = number[answer.left], number[answer.right]
        tally = tallies[sessions.index(answer.session)]
        tally[left, right] += {"left": 1.0, "neither": 0.5, "right": 0.0}[answer.choice]
        tally[right, left] += {"left": 0.0, "neither": 0.5, "right": 1.0}[answer.choice]
    wins: Wins = tallies.sum(axis=0)
    sided = [answer for answer in answers if answer.choice != "neither"]
    left_wins = sum(answer.choice == "left" for answer in sided)
    return Preferences(
        len(sessions),
        len(answers),
        _scores(methods, answers, wins, tallies),
        _pairs(methods, answers),
        Rate.of(left_wins, len(sided)),
    )


def strengths(wins: Wins) -> NDArray[np.float64]:
    """Bradley and Terry's strengths, from how often each row's method beat each column's, by
    iterated Luce spectral ranking (Maystre and Grossglauser, NeurIPS 2015)."""
    found = choix.ilsr_pairwise_dense(wins, alpha=PRIOR)
    return np.asarray(found - found.mean())


def _scores(
    methods: Sequence[str], answers: Sequence[Answer], wins: Wins, tallies: Wins
) -> tuple[Score, ...]:
    values, (low, high) = strengths(wins), _interval(tallies)
    found = []
    for index, method in enumerate(methods):
        own = [_winner(answer) for answer in answers if method in (answer.left, answer.right)]
        rate = Rate.of(own.count(method), len(own) - own.count(None))
        found.append(
            Score(method, rate, float(values[index]), float(low[index]), float(high[index]))
        )
    return tuple(sorted(found, key=lambda score: -score.strength))


def _interval(tallies: Wins) -> NDArray[np.float64]:
    """(2, methods); NaN with fewer than two raters, which allow no estimate."""
    raters, methods = tallies.shape[:2]
    if raters < 2:
        return np.full((2, methods), np.nan)
    draw = np.random.default_rng(0)
    again = [
        strengths(tallies[draw.integers(raters, size=raters)].sum(axis=0)) for _ in range(RESAMPLES)
    ]
    beyond = (1 - CONFIDENCE) / 2
    return np.asarray(np.quantile(again, [beyond, 1 - beyond], axis=0))


def _pairs(methods: Sequence[str], answers: Sequence[Answer]) -> tuple[Pair, ...]:
    counted = []
    for pair in combinations(methods, 2):
        of_pair = [answer for answer in answers if {answer.left, answer.right} == set(pair)]
        winners = [_winner(answer) for answer in of_pair]
        counted.append((pair, tuple(winners.count(who) for who in (*pair, None))))
    ps = [
        float(stats.binomtest(first, first + second).pvalue) if first + second else 1.0
        for _, (first, second, _) in counted
    ]
    qs = stats.false_discovery_control(ps)
    return tuple(
        Pair(pair, (first, second, none), Rate.of(first, first + second), p, q)
        for (pair, (first, second, none)), p, q in zip(counted, ps, map(float, qs), strict=True)
    )


def _winner(answer: Answer) -> str | None:
    return {"left": answer.left, "right": answer.right, "neither": None}[answer.choice]
