"""The recipe: what is written is read, what is not valid is refused by name."""

from dataclasses import replace
from pathlib import Path

import pytest

from vidstyle.errors import UsageError
from vidstyle.train.config import (
    DistilConfig,
    StyleConfig,
    StyleWeights,
    TrainConfig,
    flat,
    read_config,
    write_config,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    style = StyleConfig(steps=7, gaps=(1, 5), weights=StyleWeights(temporal=2.5))
    config = replace(TrainConfig(), seed=3, licence='a "b"', style=style)
    write_config(config, tmp_path / "config.toml")
    assert read_config(tmp_path / "config.toml") == config


def test_what_is_not_said_keeps_its_default(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[distil]\nrate = 1\n")
    assert read_config(path) == replace(TrainConfig(), distil=DistilConfig(rate=1.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepz = 3", "unknown key stepz"),
        ("[style]\nstep = 3", "unknown key style.step; did you mean steps"),
        ("[style]\nsteps = 3.5", r"style\.steps is 3\.5; it must be int"),
        ("seed = true", "seed is true; it must be int"),
        ("style = 3", r"style must be a table; write \[style\]"),
        ("[style]\nrate = -1.0", r"style\.rate must be above 0"),
        ("[style.weights]\ngram = -1.0", r"style\.weights\.gram must be 0 or more"),
        ("[distil]\nzoom = [1.0]", r"distil\.zoom is \[1\.0\]"),
        ("[distil]\nside = 65", r"distil\.side must be a multiple of 8"),
        ("[distil]\nsteps = 0\n[style]\nsteps = 9", r"distil\.steps is 0: name a model in start"),
        ("grow = [0, 0, 1, 0]", "grow: name a model in start"),
        ("[style]\nkeep = 1.5", r"style\.keep must be in \[0, 1\]"),
        ("[architecture]\nencoder = 'vgg'", "encoder must be one of"),
        ("= 3", "cannot be read as TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message) as error:
        read_config(path)
    assert str(error.value).startswith(str(path))


def test_flat() -> None:
    assert flat({"a": 1, "b": {"c": {"d": 2}}}) == {"a": 1, "b.c.d": 2}
