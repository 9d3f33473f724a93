"""An encoder does not make this process real-time."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.codecs import CODECS
from vidstyle.media.video.colour import ColourTags
from vidstyle.media.video.encoder import refusal
from vidstyle.media.video.writer import open_writer
from vidstyle.runtime.scheduling import scheduling_kept

TASKS = Path("/proc/self/task")

pytestmark = pytest.mark.skipif(
    not TASKS.is_dir() or os.geteuid() != 0, reason="Linux lets only root be real-time"
)


def policies() -> set[int]:
    return {os.sched_getscheduler(int(task.name)) for task in TASKS.iterdir()}


def test_what_is_made_real_time_within_is_so_no_longer() -> None:
    before = policies()
    with scheduling_kept():
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))
        said = subprocess.run(
            [sys.executable, "-c", "import os; print(os.sched_getscheduler(0))"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert int(said.stdout) == os.SCHED_FIFO
    assert policies() == before


def test_an_encoder_of_av1_leaves_threads_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVT_LOG", "1")
    info = ClipInfo("", 64, 64, Fraction(25), Fraction(1, 25), colour=ColourTags())
    if reason := refusal(CODECS["av1"], info):
        pytest.skip(reason)
    before = policies()
    assert refusal(CODECS["av1"], info) is None
    assert policies() == before
    with open_writer(str(tmp_path / "out.mp4"), info, codec="av1") as writer:
        for number in range(3):
            image = torch.zeros(64, 64, 3, dtype=torch.uint8)
            writer.write(Frame(image, number, number, info.time_base))
            assert policies() == before
    assert policies() == before
