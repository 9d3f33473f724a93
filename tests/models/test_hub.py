"""Models of the Hugging Face Hub, from a hub on this machine."""

import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vidstyle.errors import UsageError, WeightsError
from vidstyle.models import weights
from vidstyle.models.hub import find_hub_model, verify_hub_model
from vidstyle.options import RenderOptions
from vidstyle.pipeline.parts import build_parts

pytest.importorskip("transformers")

REVISION = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b'{"model_type": "sam2_video"}',
    "model.safetensors": bytes(range(256)) * 8,
    "pytorch_model.bin": b"a pickle",
    "README.md": b"a card",
}


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the hub as its library asks for."""

    gated = False

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_: object) -> None: ...

    def _answer(self, body: bool) -> None:
        path = self.path.partition("?")[0]
        if self.gated:
            return self._send(403, b"{}", body, {"X-Error-Code": "GatedRepo"})
        if found := re.fullmatch(r"/api/models/facebook/sam2.1-hiera-tiny(/revision/\w+)?", path):
            names = [{"rfilename": name} for name in FILES]
            told = {"id": "facebook/sam2.1-hiera-tiny", "sha": REVISION, "siblings": names}
            return self._send(200, json.dumps(told).encode(), body)
        if "/tree/" in path:
            tree = [
                {"type": "file", "path": name, "size": len(content), "oid": _etag(content)}
                for name, content in FILES.items()
            ]
            return self._send(200, json.dumps(tree).encode(), body)
        if found := re.fullmatch(r"/facebook/sam2.1-hiera-tiny/resolve/\w+/(.+)", path):
            content = FILES[found[1]]
            more = {"ETag": f'"{_etag(content)}"', "X-Repo-Commit": REVISION}
            return self._send(200, content, body, more)
        return self._send(404, b"{}", body)

    def _send(
        self, code: int, content: bytes, body: bool, more: dict[str, str] | None = None
    ) -> None:
        self.send_response(code)
        for name, value in ({"Content-Length": str(len(content))} | (more or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)


def _etag(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@pytest.fixture
def hub() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def fetch(name: str, to: Path, endpoint: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the library reads its settings when it is imported."""
    known = os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(to.parent / "hf")}
    command = [sys.executable, "-m", "vidstyle", "models", "fetch", name, "--to", str(to)]
    return subprocess.run(command, env=known, capture_output=True, text=True, check=False)


@pytest.fixture
def fetched(hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that weights are in."""
    done = fetch("sam2.1-tiny", tmp_path / "weights", hub)
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("VIDSTYLE_MODEL_PATH", str(tmp_path / "weights"))
    return tmp_path / "weights"


def test_a_model_comes_whole_and_without_pickles(fetched: Path) -> None:
    folder = find_hub_model("sam2.1-tiny")
    assert folder == fetched / "sam2.1-tiny"
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "SHA256SUMS",
    }
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    verify_hub_model(folder)
    assert list(fetched.iterdir()) == [folder]


def test_what_is_there_and_whole_is_not_fetched_again(fetched: Path) -> None:
    assert fetch("sam2.1-tiny", fetched, "http://127.0.0.1:9").returncode == 0


def test_what_was_damaged_is_found_and_fetched_again(fetched: Path, hub: str) -> None:
    weights_file = fetched / "sam2.1-tiny" / "model.safetensors"
    weights_file.write_bytes(b"damaged")
    with pytest.raises(WeightsError, match=r"model\.safetensors: corrupt"):
        verify_hub_model(weights_file.parent)
    assert fetch("sam2.1-tiny", fetched, hub).returncode == 0
    assert weights_file.read_bytes() == FILES["model.safetensors"]


def test_what_needs_consent_says_so(
    hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hub, "gated", True)
    done = fetch("sam3", tmp_path / "weights", hub)
    assert done.returncode == 4
    assert "accept the licence at https://huggingface.co/facebook/sam3" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "weights").iterdir()) == []


def test_without_a_network_one_line_says_what_to_do(tmp_path: Path) -> None:
    done = fetch("owlv2", tmp_path / "weights", "http://127.0.0.1:9")
    assert done.returncode == 4
    (line,) = [line for line in done.stderr.splitlines() if "cannot be fetched" in line]
    assert "copy it from another machine into a folder owlv2" in line


def test_a_segmenter_is_chosen_by_its_name(fetched: Path, tiny_model: Path) -> None:
    assert fetched
    options = RenderOptions(segmenter="sam2.1-tiny", model=str(tiny_model), temporal="off")
    assert build_parts(options).names()["segmenter"] == "sam2.1-tiny"
    options = RenderOptions(model=str(tiny_model), temporal="off")
    assert build_parts(options).names()["segmenter"] == "sam2.1-tiny", "better than MobileSAM"


@pytest.mark.parametrize(
    ("option", "name", "error", "said"),
    [
        ("segmenter", "sam2.1-large", WeightsError, "vidstyle models fetch sam2.1-large"),
        ("detector", "grounding-dino-tiny", WeightsError, "models fetch grounding-dino-tiny"),
        ("segmenter", "owlv2", UsageError, "no folder of a SAM 2 model"),
        ("detector", "sam2.1-tiny", UsageError, "or auto or one of"),
    ],
)
def test_what_is_not_there_or_is_something_else(
    option: str,
    name: str,
    error: type[Exception],
    said: str,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(weights, "search_folders", lambda: [tmp_path])
    options = RenderOptions(model=str(tiny_model), temporal="off", **{option: name})
    with pytest.raises(error, match=said):
        build_parts(options)
