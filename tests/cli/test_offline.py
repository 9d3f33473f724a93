"""A render, and every step of the farm's, works where no socket may be opened."""

import socket
from pathlib import Path

import pytest


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every attempt to use the network, which fails."""
    attempts: list[str] = []

    def refuse(*arguments: object, **_settings: object) -> None:
        attempts.append(str(arguments))
        raise OSError("no network here")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return attempts


@pytest.mark.parametrize("name", ["box:45,20,75,80", "matte"])
def test_nothing_opens_a_socket(
    no_sockets: list[str], vidstyle, shot, style_picture, tiny_model, tmp_path: Path, name: str
) -> None:
    spec = f"matte:{shot.mattes}" if name == "matte" else name
    settings = (
        shot.clip, "--style", style_picture, "--object", spec, "--model", tiny_model,
        "--device", "cpu", "--out", 5,
    )  # fmt: skip
    work = ("--work", tmp_path / "work")
    for command in (
        ("render", *settings, "-o", tmp_path / "one.mp4"),
        ("analyse", *settings, *work),
        ("segment-render", shot.clip, *work, "--segments", 0),
        ("join", shot.clip, *work, "-o", tmp_path / "joined.mp4"),
        ("farm", *settings, *work, "--job", tmp_path / "job.yaml", "-o", tmp_path / "r.mp4"),
        ("models", "list"),
    ):
        outcome = vidstyle("-q", *command)
        assert outcome.code == 0, outcome.err
    assert not no_sockets
