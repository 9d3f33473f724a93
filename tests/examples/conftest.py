"""The scripts of examples/ import each other as they do when run from there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

pytest.importorskip("skimage")


@pytest.fixture(autouse=True, scope="session")
def _examples_importable() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        yield
