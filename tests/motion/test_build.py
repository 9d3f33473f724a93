"""Choosing an estimator by name."""

import logging
from pathlib import Path

import pytest
import torch

from vidstyle.errors import UsageError, WeightsError
from vidstyle.models import weights
from vidstyle.motion.build import build_flow

CPU = torch.device("cpu")


@pytest.fixture
def nothing_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "search_folders", lambda: [tmp_path])


def test_auto_on_a_cpu_is_dis_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert build_flow("auto", CPU, 540).name == "dis"
    assert "RAFT is slow on cpu" in caplog.text


@pytest.mark.usefixtures("nothing_fetched")
def test_auto_on_cuda_without_weights_is_dis_and_names_the_command(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        assert build_flow("auto", torch.device("cuda"), 540).name == "dis"
    assert "vidstyle models fetch raft-small" in caplog.text


@pytest.mark.usefixtures("nothing_fetched")
def test_raft_by_name_without_weights_is_an_error_that_names_the_command() -> None:
    with pytest.raises(WeightsError, match="vidstyle models fetch raft-large"):
        build_flow("raft-large", CPU, 540)


def test_bad_options_are_refused() -> None:
    with pytest.raises(UsageError, match="farneback"):
        build_flow("farneback", CPU, 540)
    with pytest.raises(UsageError, match="--flow-size 0"):
        build_flow("dis", CPU, 0)
