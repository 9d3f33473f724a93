"""Nobody judges a render by its own flow."""

import json
from pathlib import Path

import pytest
import torch

from vidstyle.errors import UsageError, WeightsError
from vidstyle.evaluate import judge
from vidstyle.evaluate.judge import choose_judge, flows_used
from vidstyle.models import weights


def choose(name: str, *used: str) -> str:
    found = choose_judge(name, set(used), device=torch.device("cpu"), flow_size=128, first_number=0)
    return found.name


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find", lambda _: None)


@pytest.fixture
def small_raft(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find", lambda name: Path(name) if name == "raft-small" else None)


@pytest.mark.usefixtures("no_weights")
def test_without_weights_dis_judges_unless_it_was_used(caplog: pytest.LogCaptureFixture) -> None:
    assert choose("auto", "raft-small") == "dis"
    assert not caplog.records or "give --report" not in caplog.text
    assert choose("auto") == "dis"
    assert "give --report to be sure" in caplog.text
    with pytest.raises(WeightsError, match="the render used dis, and no other estimator"):
        choose("auto", "dis")


@pytest.mark.usefixtures("small_raft")
def test_auto_takes_the_other_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []

    class Fake:
        def __init__(self, name: str) -> None:
            self.name = name

    def build(name: str, device: torch.device, flow_size: int, cache: None) -> Fake:
        assert (device.type, flow_size, cache) == ("cpu", 128, None)
        built.append(name)
        return Fake(name)

    monkeypatch.setattr(judge, "build_flow", build)
    assert choose("auto", "dis") == "raft-small"
    assert choose("auto", "raft-large") == "dis"
    assert choose("auto") == "raft-small"
    assert built == ["raft-small", "dis", "raft-small"]


def test_the_renders_own_flow_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="--flow dis: the render used it"):
        choose("dis", "dis")
    with pytest.raises(UsageError, match="--flow nothing: neither a folder"):
        choose("nothing")


def test_reports_tell_the_flow(tmp_path: Path) -> None:
    for name in ("dis", "none"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"parts": {"flow": name}}))
    assert flows_used([tmp_path / "dis.json", tmp_path / "none.json"]) == {"dis"}
    (tmp_path / "other.json").write_text("[1]")
    with pytest.raises(UsageError, match=r"other\.json: not a report of"):
        flows_used([tmp_path / "other.json"])
    with pytest.raises(UsageError, match=r"missing\.json: cannot be read"):
        flows_used([tmp_path / "missing.json"])
