"""A study of three methods on pictures and a video."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data

from vidstyle.evaluate.study.make import make_study
from vidstyle.evaluate.study.server import StudyServer

METHODS = ("ours", "theirs", "plain")


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory, shot) -> list[Path]:
    """Folders of three methods: two pictures and a clip each."""
    folder = tmp_path_factory.mktemp("results")
    picture = cv2.resize(skimage.data.astronaut(), (96, 96), interpolation=cv2.INTER_AREA)
    for number, method in enumerate(METHODS):
        made = folder / method
        made.mkdir()
        for name in ("a.png", "b.png"):
            cv2.imwrite(str(made / name), np.roll(picture, number, axis=2))
        shutil.copy(shot.clip, made / "shot.mp4")
    return [folder / method for method in METHODS]


@pytest.fixture
def study_folder(results, tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    make_study(results, folder, "Which one?", reference=results[0])
    return folder


@contextmanager
def _serving(folder: Path, **options: Any) -> Iterator[StudyServer]:
    with StudyServer(folder, "127.0.0.1", 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def serve() -> Callable[..., AbstractContextManager[StudyServer]]:
    """Serves a study, with options of the server."""
    return _serving


@pytest.fixture
def server(study_folder: Path) -> Iterator[StudyServer]:
    with _serving(study_folder) as server:
        yield server
