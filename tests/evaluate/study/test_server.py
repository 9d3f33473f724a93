"""The study's server: raters get what they need, and nobody gets more."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from vidstyle.errors import UsageError
from vidstyle.evaluate.study import answers as answers_module
from vidstyle.evaluate.study.answers import Answers
from vidstyle.evaluate.study.server import MOST_BODY, StudyServer
from vidstyle.evaluate.study.study import ANSWERS, MEDIA
from vidstyle.runtime.allowance import Allowance

SESSION = "0123456789abcdef" * 2
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    def __init__(self, server: StudyServer) -> None:
        self._address = server.server_address[0], server.server_address[1]

    def __call__(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        connection = HTTPConnection(*self._address, timeout=10)
        try:
            connection.request(method, path, body or None, headers or {})
            reply = connection.getresponse()
            return Reply(reply.status, dict(reply.headers), reply.read())
        finally:
            connection.close()

    def answer(self, **told: object) -> int:
        body = {"session": SESSION, "trial": 0, "choice": "left", "milliseconds": 900, **told}
        return self("POST", "/answers", json.dumps(body).encode(), JSON).status


@pytest.fixture
def client(server) -> Client:
    return Client(server)


def test_a_rater_answers_all_trials_and_names_no_method(server, client) -> None:
    page = client("GET", "/")
    assert b"<!doctype html>" in page.body
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    told = client("GET", f"/trials?session={SESSION}")
    trials = told.json()["trials"]
    assert len(trials) == told.json()["total"] == 9
    for name in (b"ours", b"theirs", b"plain", b"shot"):
        assert name not in told.body
    for trial in trials:
        for side in ("left", "right", "reference"):
            assert client("GET", f"/{trial[side]}").status == 200
        assert client.answer(trial=trial["trial"]) == 200
    assert client("GET", f"/trials?session={SESSION}").json()["trials"] == []
    kept = server.answers.all()
    shown = {trial.number: trial for trial in server.study.trials_of(SESSION)}
    assert len(kept) == 9
    for answer in kept:
        trial = shown[answer.trial]
        assert answer.left == server.study.methods[trial.left]
        assert answer.right == server.study.methods[trial.right]


def test_a_second_answer_takes_the_place_of_the_first(server, client) -> None:
    assert [client.answer(choice=choice) for choice in ("left", "neither")] == [200, 200]
    assert [answer.choice for answer in server.answers.all()] == ["neither"]


@pytest.mark.parametrize(
    "path",
    [
        "/study.json",
        f"/{ANSWERS}",
        f"/{MEDIA}/",
        f"/{MEDIA}/../study.json",
        f"/{MEDIA}/%2e%2e/study.json",
        "//etc/passwd",
        "/page/study.js",
        "/trials/",
    ],
)
def test_nothing_else_is_served(client, path: str) -> None:
    reply = client("GET", path)
    assert reply.status == 404
    assert b"ours" not in reply.body


@pytest.mark.parametrize(
    "told",
    [
        {"trial": 9},
        {"trial": -1},
        {"trial": "0"},
        {"choice": "both"},
        {"choice": ["left"]},
        {"session": "x"},
        {"session": 7},
        {"milliseconds": -1},
        {"milliseconds": 1e9},
        {"milliseconds": None},
    ],
)
def test_wrong_answers_are_refused(server, client, told: dict[str, object]) -> None:
    assert client.answer(**told) == 400
    assert server.answers.all() == []


def test_wrong_requests_are_refused(server, client) -> None:
    assert client("POST", "/answers", b"[1", JSON).status == 400
    assert client("POST", "/answers", b"[" * 4000, JSON).status == 400
    assert client("POST", "/answers", b"{}", {"Content-Type": "text/plain"}).status == 415
    long = {**JSON, "Content-Length": str(MOST_BODY + 1)}
    assert client("POST", "/answers", b"", long).status == 413
    assert client("POST", "/answers", b"", {**JSON, "Content-Length": "-1"}).status == 411
    assert client("POST", "/else", b"{}", JSON).status == 404
    assert client("GET", "/trials?session=../../x").status == 400
    assert client("DELETE", "/answers").status == 501
    assert client("GET", "/", headers={"Host": "some.site"}).status == 421
    assert client("GET", "/", headers={"Host": "[::1"}).status == 421
    assert client("GET", "/", headers={"Host": "localhost:1"}).status == 200
    assert server.answers.all() == []


def test_raters_come_by_a_name_that_is_allowed(serve, study_folder: Path) -> None:
    with serve(study_folder, names=["Render01.Studio"]) as server:
        client = Client(server)
        assert client("GET", "/", headers={"Host": "render01.studio:8765"}).status == 200
        refused = client("GET", "/", headers={"Host": "render02.studio"})
        assert (refused.status, "--allow-host NAME" in refused.json()["error"]) == (421, True)


def test_players_get_parts_of_files(server, client, study_folder: Path) -> None:
    name = server.study.items[-1].results[0]
    whole = (study_folder / MEDIA / name).read_bytes()
    part = client("GET", f"/{MEDIA}/{name}", headers={"Range": "bytes=100-199"})
    assert (part.status, part.body) == (206, whole[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
    rest = client("GET", f"/{MEDIA}/{name}", headers={"Range": "bytes=100-"})
    assert rest.body == whole[100:]
    assert client("GET", f"/{MEDIA}/{name}").body == whole
    beyond = client("GET", f"/{MEDIA}/{name}", headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status == 416


def test_a_full_study_takes_no_new_rater(client, monkeypatch) -> None:
    monkeypatch.setattr(answers_module, "MOST_SESSIONS", 1)
    assert client.answer() == 200
    assert client.answer(trial=1) == 200
    assert client.answer(session="f" * 32) == 507


def test_a_port_in_use_is_told(server, study_folder: Path) -> None:
    with pytest.raises(UsageError, match="--port"):
        StudyServer(study_folder, "127.0.0.1", server.server_address[1])


def test_answers_are_kept_when_the_server_ends(client, study_folder: Path) -> None:
    client.answer()
    (answer,) = Answers(study_folder / ANSWERS).all()
    assert (answer.choice, answer.milliseconds) == ("left", 900)


def test_one_client_cannot_outvote_the_others(server, client, monkeypatch) -> None:
    """Nor use up the sessions; whoever has begun goes on."""
    monkeypatch.setattr(server, "raters", Allowance(3, seconds=3600))
    sessions = [f"{number:032x}" for number in range(5)]
    assert [client.answer(session=each) for each in sessions] == [200, 200, 200, 429, 429]
    assert client.answer(session=sessions[0], trial=1) == 200
    assert {answer.session for answer in server.answers.all()} == set(sessions[:3])
