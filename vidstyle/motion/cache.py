"""On-disk cache of flows, keyed by their inputs, so that each is estimated only once."""

import hashlib
import logging
import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vidstyle.errors import MediaError, UsageError
from vidstyle.motion.estimator import FlowFunction
from vidstyle.runtime.atomic import replacing
from vidstyle.runtime.leftovers import sweep

_SUFFIX = ".flow.npy"

_log = logging.getLogger(__name__)


class FlowCache:
    """A folder of flows.

    A flow's key is the hash of both pictures and of the estimator: it does not depend on the style,
    the clip's name or the machine, but changes with a retouched plate or another object box. Any
    number of processes may share the folder.

    Flows are rounded to half precision (a thousandth of their length), cached or not: the first and
    the second render give the same pixels.

    Args:
        folder: created if missing.
        limit: most bytes it may hold; the least recently used flows are removed first. A shot that
            needs more gets no cache hits.

    Raises:
        UsageError: the folder cannot be created or written to.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._full, self._lock = False, threading.Lock()
        self._unseen = limit  # bytes written since the last scan; at first, unknown
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            sweep(folder)
        except OSError as error:
            raise UsageError(
                f"--flow-cache {folder}: cannot be written to ({error.strerror}); name another "
                "folder"
            ) from None

    def around(self, estimate: FlowFunction, identity: str) -> FlowFunction:
        """``estimate``, called only for pairs that are not in the folder.

        Args:
            estimate: maps two (N, 3, h, w) pictures to (N, 2, h, w), each pair independently.
            identity: everything else that its result depends on: network, weights, settings.
        """

        def cached(first: Tensor, second: Tensor) -> Tensor:
            pairs = list(zip(first, second, strict=True))
            paths = [self._path(identity, a, b) for a, b in pairs]
            flows = {path: flow for path in paths if (flow := _read(path, first)) is not None}
            missing = [number for number, path in enumerate(paths) if path not in flows]
            if missing:
                estimated = estimate(first[missing], second[missing]).half().cpu()
                for number, flow in zip(missing, estimated, strict=True):
                    flows[paths[number]] = flow
                    self._make_room(_write(paths[number], flow))
            return torch.stack([flows[path] for path in paths]).float().to(first.device)

        return cached

    def _path(self, identity: str, first: Tensor, second: Tensor) -> Path:
        digest = hashlib.sha256(f"{identity} {tuple(first.shape)} {first.dtype}".encode())
        for picture in (first, second):
            digest.update(picture.contiguous().cpu().numpy().data)
        return self._folder / f"{digest.hexdigest()}{_SUFFIX}"

    def _make_room(self, written: int) -> None:
        """Evict after ``written`` more bytes. Scanning the folder takes longer than estimating a
        flow, so it is done once per tenth of the limit written, and leaves as much free."""
        step = self._limit // 10
        if written > step:
            step = 0
        with self._lock:
            self._unseen += written
            if self._unseen > step:
                self._evict(self._limit - step)
                self._unseen = 0

    def _evict(self, limit: int) -> None:
        """Remove the least recently used flows until the limit is met."""
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIX):
                    with suppress(FileNotFoundError):  # another process evicts too
                        status = entry.stat()
                        found.append((status.st_mtime_ns, status.st_size, entry.path))
        excess = sum(size for _, size, _ in found) - limit
        if excess > 0 and not self._full:
            self._full = True
            _log.warning(
                "flow cache: %s is full; removing the least recently used flows", self._folder
            )
        for _, size, path in sorted(found):
            if excess <= 0:
                break
            Path(path).unlink(missing_ok=True)
            excess -= size


def _read(path: Path, pictures: Tensor) -> Tensor | None:
    """(2, h, w) in half precision; None if it is not cached."""
    try:
        flow = np.load(path, allow_pickle=False)
        if flow.dtype != np.float16 or flow.shape != (2, *pictures.shape[-2:]):
            raise ValueError("it holds something else")
        os.utime(path)  # records the last use
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        _log.warning("flow cache: %s is estimated again: %s", path, error)
        return None
    return torch.from_numpy(flow)


def _write(path: Path, flow: Tensor) -> int:
    """Atomic: other processes may be reading it, or writing the same.

    Returns:
        Bytes written.
    """
    try:
        with replacing(path) as opened:
            np.save(opened, flow.numpy())
            return opened.tell()
    except MediaError as error:
        _log.warning("flow cache: not kept: %s", error)
        return 0
