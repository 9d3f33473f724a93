"""Serve a study's page to raters: a fixed set of files, and two calls.

    GET  /trials?session=S    the question, and the unanswered trials of a session
    POST /answers             {"session": S, "trial": N, "choice": "left", "milliseconds": T}

No address, name or time of a rater is stored or logged.
"""

import json
import logging
import re
from collections.abc import Collection
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

from vidstyle.errors import MediaError, UsageError
from vidstyle.evaluate.study.answers import CHOICES, Answer, Answers, FullError
from vidstyle.evaluate.study.study import ANSWERS, MEDIA, Study
from vidstyle.runtime.allowance import Allowance
from vidstyle.runtime.hosts import is_own

#: New raters per address and hour: a household, or a room behind one router.
RATERS = 40

#: Largest size of a request's body, in bytes.
MOST_BODY = 4096

_CHUNK = 2**16
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_PAGE = {"/": "index.html", "/study.css": "study.css", "/study.js": "study.js"}
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}

log = logging.getLogger(__name__)


class StudyServer(ThreadingHTTPServer):
    """A study at ``http://host:port/``; ``serve_forever`` serves it."""

    daemon_threads = True

    def __init__(
        self,
        folder: Path,
        host: str,
        port: int,
        raters: int = RATERS,
        names: Collection[str] = (),
    ) -> None:
        """
        Args:
            folder: of the study.
            port: 0 for any free port.
            names: further host names that browsers may use, besides ``host``, addresses and
                ``localhost``.
            raters: new ones allowed per address and hour. Otherwise one client could outvote all
                others, or exhaust the study's sessions.

        Raises:
            MediaError: the folder holds no study, or not all that it shows.
            UsageError: the host and port cannot be served on.
        """
        self.folder, self.host = folder, host
        self.names = frozenset(name.lower() for name in (host, *names))
        self.study = Study.read(folder)
        self.answers = Answers(folder / ANSWERS)
        self.media = frozenset(self.study.media())
        if missing := [
            name for name in self.study.media() if not (folder / MEDIA / name).is_file()
        ]:
            raise MediaError(
                f"{folder / MEDIA / missing[0]}: missing ({len(missing)} of {len(self.media)} "
                "files are); copy the study's whole folder, or make it again"
            )
        self.raters = Allowance(raters, seconds=3600)
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise UsageError(
                f"--host {host} --port {port}: cannot serve there ({error.strerror}); "
                "name another port"
            ) from None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.server_address[1]}/"


class _Refused(Exception):  # noqa: N818 - an answer, not a failure
    def __init__(self, status: HTTPStatus, told: str = "") -> None:
        self.status, self.told = status, told or status.phrase


class _Handler(BaseHTTPRequestHandler):
    server: StudyServer
    server_version, sys_version = "vidstyle", ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, call: Any) -> None:
        try:
            if not is_own(self.headers.get("Host", ""), self.server.names):
                raise _Refused(
                    HTTPStatus.MISDIRECTED_REQUEST,
                    "not served under this host name; allow it with 'vidstyle study serve "
                    "--allow-host NAME'",
                )
            call()
        except _Refused as refused:
            # The unread rest of the request must not be parsed as the next one.
            self.close_connection = True
            self._send(refused.status, json.dumps({"error": refused.told}), ".json")
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _get(self) -> None:
        path = self._url.path
        if path == "/trials":
            self._send(HTTPStatus.OK, json.dumps(self._trials()), ".json")
        elif path in _PAGE:
            name = _PAGE[path]
            text = files("vidstyle.evaluate.study").joinpath("page", name).read_text("utf-8")
            self._send(HTTPStatus.OK, text, Path(name).suffix)
        elif path.removeprefix(f"/{MEDIA}/") in self.server.media:
            self._send_file(self.server.folder / MEDIA / path.rpartition("/")[2])
        else:
            raise _Refused(HTTPStatus.NOT_FOUND)

    def _trials(self) -> dict[str, Any]:
        session = _session(parse_qs(self._url.query).get("session", [""])[0])
        trials = self.server.study.trials_of(session)
        answered = self.server.answers.answered(session)
        return {
            "question": self.server.study.question,
            "total": len(trials),
            "trials": [
                {
                    "trial": trial.number,
                    "left": f"{MEDIA}/{trial.files[0]}",
                    "right": f"{MEDIA}/{trial.files[1]}",
                    "reference": trial.item.reference and f"{MEDIA}/{trial.item.reference}",
                }
                for trial in trials
                if trial.number not in answered
            ],
        }

    def _post(self) -> None:
        if self._url.path != "/answers":
            raise _Refused(HTTPStatus.NOT_FOUND)
        # A form on another web site cannot send this type.
        if self.headers.get("Content-Type", "").partition(";")[0] != "application/json":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        answer = self._read_answer()
        address = self.client_address[0]
        is_new = not self.server.answers.answered(answer.session)
        if is_new and not self.server.raters.allows(address):
            raise _Refused(HTTPStatus.TOO_MANY_REQUESTS)
        try:
            self.server.answers.add(answer)
        except FullError:
            raise _Refused(HTTPStatus.INSUFFICIENT_STORAGE) from None
        if is_new:
            self.server.raters.spend(address)
        self._send(HTTPStatus.OK, "{}", ".json")

    def _read_answer(self) -> Answer:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise _Refused(HTTPStatus.LENGTH_REQUIRED)
        if int(length) > MOST_BODY:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            told = json.loads(self.rfile.read(int(length)))
            session, number = _session(told["session"]), told["trial"]
            choice, milliseconds = told["choice"], told["milliseconds"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise _Refused(HTTPStatus.BAD_REQUEST) from None
        study = self.server.study
        trial = next((t for t in study.trials_of(session) if t.number == number), None)
        timed = type(milliseconds) is int and 0 <= milliseconds < 2**31
        if trial is None or choice not in CHOICES or not timed:
            raise _Refused(HTTPStatus.BAD_REQUEST)
        left, right = study.methods[trial.left], study.methods[trial.right]
        return Answer(session, trial.number, trial.item.name, left, right, choice, milliseconds)

    @property
    def _url(self) -> Any:
        return urlsplit(self.path)

    def _send(self, status: HTTPStatus, text: str, suffix: str) -> None:
        body = text.encode()
        self._head(status, suffix, len(body), {"Cache-Control": "no-store"})
        self.wfile.write(body)

    def _send_file(self, path: Path) -> None:
        """A file, or the requested range of it, which players need for seeking."""
        try:
            opened = path.open("rb")
        except OSError:
            raise _Refused(HTTPStatus.NOT_FOUND) from None
        with opened as source:
            size = path.stat().st_size
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            start = int(asked[1]) if asked else 0
            stop = min(int(asked[2]) + 1, size) if asked and asked[2] else size
            if asked and start >= stop:
                raise _Refused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            status = HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK
            more = {"Accept-Ranges": "bytes", "Cache-Control": "private, max-age=3600"}
            if asked:
                more["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
            self._head(status, path.suffix, stop - start, more)
            source.seek(start)
            self._pump(source, stop - start)

    def _pump(self, source: BinaryIO, left: int) -> None:
        while left and (chunk := source.read(min(left, _CHUNK))):
            self.wfile.write(chunk)
            left -= len(chunk)

    def _head(self, status: HTTPStatus, suffix: str, length: int, more: dict[str, str]) -> None:
        self.send_response(status)
        kind = _KINDS.get(suffix, "application/json")
        for name, value in {"Content-Type": kind, **_HEADERS, **more}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Without the rater's address."""
        log.debug(format, *args)


def _session(text: object) -> str:
    """128 random bits in hexadecimal, as the page draws them."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9a-f]{32}", text):
        raise _Refused(HTTPStatus.BAD_REQUEST)
    return text
