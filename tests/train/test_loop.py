"""The loop: resumes, accumulates, counts processes together, stops when it goes astray."""

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from vidstyle.errors import Cancelled, UsageError, WeightsError
from vidstyle.runtime.device import multiplies_in_bfloat16
from vidstyle.train.config import PRECISIONS, DistilConfig, Phase, RunConfig
from vidstyle.train.loop import build_accelerator, half_precision
from vidstyle.train.objective import Objective, Sample
from vidstyle.train.record import read_curves

PHASE = DistilConfig(
    steps=6,
    batch=2,
    side=64,
    warm_up=2,
    lessons=replace(DistilConfig().lessons, side=96, pictures=2),
)


class Line(Objective):
    """A weight that is to become the mean of what is drawn; it can be made to go wrong."""

    def __init__(self, wrong_from: int | None = None, worth: float = float("nan")) -> None:
        super().__init__()
        self.network = nn.Linear(1, 1, bias=False)  # type: ignore[assignment]
        nn.init.zeros_(self.network.weight)
        self._wrong_from, self._worth = wrong_from, worth

    def sample(self, index: int) -> Sample:
        wrong = self._wrong_from is not None and index >= self._wrong_from
        return {"x": torch.tensor([self._worth if wrong else 1.0 + 0.1 * (index % 2)])}

    def held_out(self) -> list[Sample]:
        return [{"x": torch.ones(1)}]

    def forward(self, batch: Sample) -> dict[str, Tensor]:
        wanted = batch["x"]
        return {"distance": (self.network(torch.ones_like(wanted)) - wanted).square().mean()}

    def weights(self, progress: float) -> dict[str, float]:  # noqa: ARG002
        return {"distance": 1.0}


def losses(folder: Path) -> list[float]:
    return [step["loss"] for step in read_curves(folder)]


def test_an_interrupted_run_resumes_to_the_same_losses(
    run, distil, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = run(distil(PHASE), PHASE, name="through")
    cut = distil(PHASE)
    draw = cut.sample

    def interrupted(index: int) -> Sample:
        if index == 5:  # of the third step
            os.kill(os.getpid(), signal.SIGTERM)
        return draw(index)

    monkeypatch.setattr(cut, "sample", interrupted)
    with pytest.raises(Cancelled):
        run(cut, PHASE, name="cut")
    assert 0 < len(losses(run.folder / "cut")) < PHASE.steps
    resumed = run(distil(PHASE), PHASE, name="cut")
    assert losses(run.folder / "cut") == losses(run.folder / "through")
    for one, other in zip(
        through.network.state_dict().values(), resumed.network.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)


def test_workers_draw_the_same(run, distil) -> None:
    run(distil(PHASE), PHASE, RunConfig(workers=0), name="none")
    run(distil(PHASE), PHASE, RunConfig(workers=2), name="two")
    assert losses(run.folder / "two") == losses(run.folder / "none")


def test_accumulation_is_a_larger_batch(run, distil) -> None:
    """But for ``steady``, which looks twice at half of what a pass is given."""
    one = replace(PHASE, steps=3, weights=replace(PHASE.weights, steady=0))
    two = replace(one, batch=1, accumulate=2)
    run(distil(one), one, name="one")
    run(distil(two), two, name="two")
    assert losses(run.folder / "two") == pytest.approx(losses(run.folder / "one"), rel=1e-4)


def test_half_precision_learns_nearly_the_same(
    run, distil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidstyle.train.loop.half_precision", lambda _: "bf16")
    phase = replace(PHASE, steps=3)
    for precision in PRECISIONS:
        replace(run, precision=precision)(distil(phase), phase, name=precision)
    half, full = (losses(run.folder / precision) for precision in PRECISIONS)
    assert half != full
    assert half == pytest.approx(full, rel=0.1)


@pytest.mark.parametrize("able", [True, False])
def test_a_processor_is_asked_whether_it_has_units_for_half_precision(
    able: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": able}, raising=False)
    assert multiplies_in_bfloat16(torch.device("cpu")) == able
    assert half_precision(torch.device("cpu")) == ("bf16" if able else "no")
    assert half_precision(torch.device("cuda")) == "fp16"
    assert half_precision(torch.device("mps")) == "no"


def test_another_recipe_is_not_resumed(run) -> None:
    run(Line(), Phase(steps=2, rate=1e-3))
    with pytest.raises(UsageError, match=r"rate = 0\.001, not 0\.002"):
        run(Line(), Phase(steps=2, rate=2e-3))


def test_a_run_in_full_precision_goes_on_in_half(run) -> None:
    run(Line(), Phase(steps=2))
    scaled = replace(run, scaler=torch.amp.GradScaler("cpu"))
    assert scaled(Line(), Phase(steps=2)).steps == 2


def test_a_broken_checkpoint_is_told(run) -> None:
    run(Line(), Phase(steps=2))
    (run.folder / "run" / "checkpoint.pt").write_bytes(b"broken")
    with pytest.raises(WeightsError, match=r"checkpoint\.pt: cannot be read"):
        run(Line(), Phase(steps=2))


def test_a_loss_that_is_no_number_stops_the_run(run) -> None:
    phase = Phase(steps=60, batch=1)
    with pytest.raises(UsageError, match="diverges at step 29: distance is not a number"):
        run(Line(wrong_from=20), phase)
    saved = torch.load(run.folder / "run" / "checkpoint.pt", weights_only=True)
    assert saved["step"] == 18
    assert all(torch.isfinite(tensor).all() for tensor in saved["objective"].values())


def test_a_loss_far_above_its_median_stops_the_run(run) -> None:
    phase = Phase(steps=400, batch=1, rate=1e-4)
    with pytest.raises(UsageError, match=r"diverges at step 299: .*10 times what is usual"):
        run(Line(wrong_from=250, worth=50.0), phase)


def test_minutes_bound_a_run(run) -> None:
    trained = run(Line(), Phase(steps=10**6, minutes=0.01, batch=1))
    assert 0 < trained.steps < 10**6


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_the_rate_warms_up_and_falls(run, schedule: str) -> None:
    phase = Phase(steps=60, batch=2, warm_up=10, schedule=schedule, rate=0.5)
    run(Line(), phase, RunConfig(validate_every=2, workers=0))
    rates = [step["rate"] for step in read_curves(run.folder / "run")]
    assert rates[:10] == sorted(rates[:10])
    assert max(rates) == pytest.approx(0.5, rel=0.1)
    assert rates[-1] < 0.3


def test_two_processes_are_a_double_batch(run, tmp_path: Path) -> None:
    """Three steps of batch 2 in one process, and of batch 1 in each of two."""
    script = tmp_path / "process.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys
            from pathlib import Path
            sys.path[:0] = [{str(Path(__file__).parent)!r}]
            from conftest import Runner
            from test_loop import Line
            from vidstyle.train.config import Phase
            Runner(Path({str(tmp_path)!r}))(Line(), Phase(steps=3, batch=1), name="two")
            """
        )
    )
    processes = [
        subprocess.Popen(
            [sys.executable, str(script)],
            env=os.environ
            | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
            | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29577", "OMP_NUM_THREADS": "1"}
            | {"ACCELERATE_USE_CPU": "true"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    run(Line(), Phase(steps=3, batch=2), name="one")
    for one, two in zip(read_curves(tmp_path / "one"), read_curves(tmp_path / "two"), strict=True):
        assert two == pytest.approx(one, rel=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_half_precision_on_cuda() -> None:
    accelerator = build_accelerator(torch.device("cuda"))
    assert accelerator.mixed_precision == "fp16"
    assert accelerator.scaler is not None
