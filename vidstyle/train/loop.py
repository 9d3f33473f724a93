"""The training loop, for any objective and any number of processes.

``accelerate`` places tensors, scales losses for half precision on CUDA, and accumulates gradients
and reduces them over processes. All randomness derives from the seed and the index of an item, so
that an interrupted and resumed run has the same losses as an uninterrupted one.
"""

import atexit
import logging
import math
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, broadcast, send_to_device
from torch import Tensor
from torch.func import functional_call
from torch.utils.data import DataLoader, Dataset, default_collate

from vidstyle.errors import Cancelled
from vidstyle.runtime.device import multiplies_in_bfloat16
from vidstyle.runtime.progress import Progress
from vidstyle.style.micro import MicroNetwork
from vidstyle.train.checkpoint import load_checkpoint, save_checkpoint
from vidstyle.train.config import Phase, RunConfig
from vidstyle.train.divergence import Divergence
from vidstyle.train.ema import average_of
from vidstyle.train.interruption import Interruption, deferred_signals
from vidstyle.train.objective import Objective, Sample, weighted_sum
from vidstyle.train.record import Record
from vidstyle.train.schedule import build_schedule

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """The result of a phase.

    Attributes:
        network: with the running mean of the weights, on the CPU.
        steps: number of optimiser steps.
        seconds: total time, including before resuming.
        validation: the final loss on held-out pictures and its terms, unweighted.
    """

    network: MicroNetwork
    steps: int
    seconds: float
    validation: dict[str, float]


def build_accelerator(device: torch.device, precision: str = "auto") -> Accelerator:
    """The accelerator of this process, joined with the others if a launcher started several.

    Args:
        precision: one of ``config.PRECISIONS``.
    """
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)
    # Accelerate fixes the precision per process, but a process may train twice.
    AcceleratorState._reset_state()
    accelerator = Accelerator(
        cpu=device.type == "cpu",
        mixed_precision=half_precision(device) if precision == "auto" else "no",
        # Normalisation is frozen; there are no buffers to synchronise.
        kwargs_handlers=[DistributedDataParallelKwargs(broadcast_buffers=False)],
    )
    if accelerator.num_processes > 1:
        # Process-group threads still alive at exit may abort a successful run.
        atexit.register(accelerator.end_training)
    return accelerator


def half_precision(device: torch.device) -> str:
    """``accelerate``'s name of the half precision that is fast on a device: ``fp16`` on CUDA,
    ``bf16`` on a CPU with hardware support (which halves the time of a step of ``micro``), else
    ``no``."""
    if device.type == "cuda":
        return "fp16"
    return "bf16" if multiplies_in_bfloat16(device) else "no"


def train(
    objective: Objective,
    phase: Phase,
    folder: Path,
    accelerator: Accelerator,
    *,
    name: str,
    average: float,
    run: RunConfig,
    config: Mapping[str, Any],
    is_over: bool = False,
    progress: Progress,
) -> Trained:
    """Run a phase to its end, or to its limit in minutes.

    Args:
        folder: for records and the checkpoint, which the run resumes from if it exists.
        name: of the phase, for the log.
        average: decay of the running mean of the weights.
        config: flat, of plain values; a checkpoint's must be equal.
        is_over: whether the checkpoint, if there is one, is taken for the end, whatever the limits.

    Raises:
        UsageError: the run diverges, or the checkpoint is another run's.
        WeightsError: the checkpoint is corrupt.
        Cancelled: interrupted by a signal; a checkpoint was written.
    """
    loop = _Loop(objective, phase, folder, accelerator, average, run, config, is_over)
    return loop.run(name, progress)


class _Loop:
    def __init__(
        self,
        objective: Objective,
        phase: Phase,
        folder: Path,
        accelerator: Accelerator,
        average: float,
        run: RunConfig,
        config: Mapping[str, Any],
        is_over: bool,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._objective, self._phase, self._folder = objective, phase, folder
        self._accelerator, self._run, self._config = accelerator, run, dict(config)
        accelerator.gradient_accumulation_steps = phase.accumulate
        accelerator.step = 0
        self._trained = [p for p in objective.parameters() if p.requires_grad]
        # A smaller beta2 than usual: the squared gradient changes fast at the start.
        optimizer = torch.optim.Adam(self._trained, phase.rate, betas=(0.9, 0.98))
        objective.to(accelerator.device)
        if accelerator.mixed_precision != "no":
            # Convolutions in half precision are a quarter faster with channels last.
            objective.to(memory_format=torch.channels_last)
        self._average = average_of(objective.network, average)
        self._schedule = build_schedule(phase, optimizer)
        self._step, self._before, self._progress = 0, 0.0, 0.0
        saved = load_checkpoint(folder, self._config)
        self._is_over = is_over and saved is not None
        if saved is not None:
            self._step, self._before = saved["step"], saved["seconds"]
            objective.load_state_dict(saved["objective"], strict=False)
            self._average.load_state_dict(saved["average"])
            optimizer.load_state_dict(saved["optimizer"])
            self._schedule.load_state_dict(saved["schedule"])
            # There is nothing of a run in full precision, or on a CPU.
            if accelerator.scaler is not None and saved["scaler"]:
                accelerator.scaler.load_state_dict(saved["scaler"])
            log.info("going on from step %d", self._step)
        self._held_out = objective.held_out()
        self._optimizer = accelerator.prepare_optimizer(optimizer)
        self._model = accelerator.prepare_model(objective)
        self._began = time.monotonic()
        self._look_at_the_clock()

    def run(self, name: str, progress: Progress) -> Trained:
        start, validation = self._step, dict[str, float]()
        divergence, batches = Divergence(), self._batches()
        progress.stage(name, round(60 * self._phase.minutes) or self._phase.steps)
        progress.advance(told := self._told())
        with ExitStack() as stack:
            interruption = stack.enter_context(deferred_signals())
            record = None
            if self._accelerator.is_main_process:
                record = stack.enter_context(closing(Record(self._folder, start)))
            while self._progress < 1:
                step, weights = self._step, self._objective.weights(self._progress)
                self._schedule.before(step, self._progress)
                terms, norm = self._update(batches, weights)
                self._step += 1
                self._look_at_the_clock()
                entries = {
                    **terms,
                    "loss": sum(weights[term] * value for term, value in terms.items()),
                    "rate": self._optimizer.param_groups[0]["lr"],
                    "norm": norm,
                }
                divergence.see(step, self._weighted(terms), norm)
                if self._is_time_to(self._run.validate_every):
                    validation = self._validate()
                    self._schedule.validated(step, validation["loss"])
                    entries |= {f"validation/{term}": v for term, v in validation.items()}
                if record:
                    record.write(step, entries)
                if divergence.calm and self._is_time_to(self._run.checkpoint_every):
                    self._save()
                    self._log(name, start, entries)
                self._stop_if_asked(interruption)
                before, told = told, self._told()
                progress.advance(told - before)
        if not validation:  # the run had already ended
            validation = self._validate()
        self._accelerator.unwrap_model(self._model, keep_fp32_wrapper=False)
        averaged = self._average.module.to(memory_format=torch.contiguous_format).cpu()
        network: MicroNetwork = averaged  # type: ignore[assignment]
        return Trained(network, self._step, self._seconds(), validation)

    def _update(
        self, batches: Iterator[Sample], weights: Mapping[str, float]
    ) -> tuple[dict[str, float], float]:
        """One optimiser step: returns the terms, averaged over all passes and processes, and the
        norm of the gradient."""
        seen: list[Tensor] = []
        names: list[str] = []
        norm = math.nan
        for _ in range(self._phase.accumulate):
            with self._accelerator.accumulate(self._model):
                terms = self._model(next(batches))
                self._accelerator.backward(weighted_sum(terms, weights))
                if self._accelerator.sync_gradients:
                    norm = float(self._accelerator.clip_grad_norm_(self._trained, self._phase.clip))
                    # The gradient scaler must see non-finite gradients to adapt its scale.
                    if math.isfinite(norm) or self._accelerator.scaler is not None:
                        self._optimizer.step()
                    if math.isfinite(norm):
                        self._average.update_parameters(self._objective.network)
                    self._optimizer.zero_grad()
            names = list(terms)
            seen.append(torch.stack([term.detach().float() for term in terms.values()]))
        means = self._accelerator.reduce(torch.stack(seen).mean(0), "mean")
        return dict(zip(names, means.tolist(), strict=True)), norm

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """Terms on the held-out items, and their sum with the final weights, which are comparable
        throughout the run."""
        self._objective.weights(1.0)  # of a run that had already ended, no step has told it
        network = {f"network.{k}": v for k, v in self._average.module.state_dict().items()}
        totals: dict[str, float] = {}
        for first in range(0, len(self._held_out), self._phase.batch):
            part = self._held_out[first : first + self._phase.batch]
            batch = send_to_device(default_collate(part), self._accelerator.device)
            with self._accelerator.autocast():
                terms: dict[str, Tensor] = functional_call(self._objective, network, (batch,))
            for name, term in terms.items():
                share = len(part) / len(self._held_out)
                totals[name] = totals.get(name, 0.0) + share * float(term)
        return {"loss": sum(self._weighted(totals).values()), **totals}

    def _weighted(self, terms: Mapping[str, float]) -> dict[str, float]:
        weights = self._objective.weights(1.0)
        return {name: weights[name] * term for name, term in terms.items()}

    def _batches(self) -> Iterator[Sample]:
        """Batches from the current step on, distinct for each process."""
        accelerator, phase = self._accelerator, self._phase
        of_a_step = phase.batch * phase.accumulate * accelerator.num_processes
        items = _Items(self._objective, self._step * of_a_step, phase.steps * of_a_step)
        loader = DataLoader(
            items,
            phase.batch,
            num_workers=self._workers(),
            pin_memory=accelerator.device.type == "cuda",
            worker_init_fn=_ignore_interrupts,
        )
        return iter(accelerator.prepare_data_loader(loader)) if len(items) else iter(())

    def _workers(self) -> int:
        if self._run.workers >= 0:
            return self._run.workers
        return min(8, os.cpu_count() or 1) if self._accelerator.device.type == "cuda" else 0

    def _save(self) -> None:
        if not self._accelerator.is_main_process:
            return
        scaler = self._accelerator.scaler
        state = {
            "config": self._config,
            "step": self._step,
            "seconds": self._seconds(),
            "objective": self._objective.kept_state(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "scaler": scaler.state_dict() if scaler is not None else {},
        }
        save_checkpoint(self._folder, state)

    def _stop_if_asked(self, interruption: Interruption) -> None:
        """Stop all processes at the same step, or the others would wait for its gradients."""
        if interruption.asked is not None:
            self._accelerator.set_trigger()
        if self._accelerator.check_trigger():
            self._save()
            log.info("stopped at step %d; --resume goes on from there", self._step)
            raise interruption.asked or Cancelled("cancelled")

    def _look_at_the_clock(self) -> None:
        """Update the run's progress, by the tighter of its limits.

        All processes use the main process's clock, so that they end together.
        """
        self._progress = 1.0 if self._is_over else self._step / self._phase.steps
        if self._phase.minutes:
            seconds = torch.tensor(self._seconds(), device=self._accelerator.device)
            passed = float(broadcast(seconds)) / (60 * self._phase.minutes)
            self._progress = max(self._progress, passed)
        self._progress = min(1.0, self._progress)

    def _is_time_to(self, every: int) -> bool:
        return self._progress >= 1 or self._step % every == 0

    def _told(self) -> int:
        """Progress of the run, in steps or, if limited by minutes, in seconds."""
        seconds = self._progress * 60 * self._phase.minutes
        return round(seconds) if self._phase.minutes else self._step

    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._began

    def _log(self, name: str, start: int, entries: Mapping[str, float]) -> None:
        pace = (time.monotonic() - self._began) / max(1, self._step - start)
        log.info(
            "%s: step %d, loss %.4f, %.2f s a step, %.0f%% done",
            *(name, self._step, entries["loss"], pace, 100 * self._progress),
        )


class _Items(Dataset[Sample]):
    """An objective's training items from one index on."""

    def __init__(self, objective: Objective, first: int, end: int) -> None:
        self._objective, self._first, self._count = objective, first, max(0, end - first)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        return self._objective.sample(self._first + index)


def _ignore_interrupts(_worker: int) -> None:
    """Ctrl-C reaches every process of a terminal; the training process ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
