"""A filter in front of the page: it rejects requests the page does not need, and every response
tells the browser to keep other sites out.

Gradio answers any ``Host``, lets any other origin read its responses, fetches addresses named in a
request, and has routes that this page does not use.
"""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vidstyle.runtime.allowance import Allowance
from vidstyle.runtime.hosts import is_own
from vidstyle.ui.turns import Turns

#: Wrong passwords allowed per address in five minutes.
GUESSES = 10

#: Maximum bytes of a request other than an upload: the largest is a camera frame.
MOST_BODY = 2**24

# The page's own scripts are inline in its HTML, and Gradio compiles those of its components.
_POLICY = "; ".join(
    (
        "default-src 'self' data: blob:",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_API = "/gradio_api"
_UPLOAD = f"{_API}/upload"
_READ = re.compile(
    rf"/|/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt|login_check|logout|user)/?"
    rf"|/(assets|static|svelte)/.*"
    rf"|{_API}/(user|login_check|token|app_id|info|theme\.css|startup-events)/?"
    rf"|{_API}/(queue/data|upload_progress|heartbeat/\w+|file=/.*)"
)
_TOLD = re.compile(
    rf"/login/?|{_API}/(upload|reset/?|cancel|queue/join|run/predict|stream/\w+(/close)?)"
)
_WITH_FILES = re.compile(rf"{_API}/(queue/join|run/predict|stream/\w+)")


_JOIN, _HEAR = f"{_API}/queue/join", f"{_API}/queue/data"
#: How Gradio tells a session that one of its actions has ended.
_ENDED = b'"process_completed"'


class _Refused(Exception):  # noqa: N818 - an answer, not a failure
    def __init__(self, status: int, told: str) -> None:
        self.status, self.told = status, told


class Guard:
    """An ASGI application that wraps another."""

    def __init__(
        self, app: ASGIApp, names: Collection[str], uploads: Path, most_bytes: int
    ) -> None:
        """
        Args:
            app: the page.
            names: host names it is served under, besides addresses and ``localhost``.
            uploads: the only folder whose files a request may refer to.
            most_bytes: maximum bytes that one address may upload in an hour.
        """
        self._app = app
        self._names = frozenset(name.lower() for name in names)
        self._uploads = uploads.resolve()
        self._guesses = Allowance(GUESSES, seconds=300)
        self._bytes = Allowance(most_bytes, seconds=3600)
        self._turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":  # the server opens no websockets
            await self._app(scope, receive, send)
            return

        client = scope["client"][0] if scope.get("client") else None

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in [name for name in headers if name.startswith("access-control-")]:
                    del headers[name]
                headers.update(_HEADERS)
                if scope["path"].startswith("/login") and message["status"] >= 400:
                    self._guesses.spend(client)
            if hearing and message["type"] == "http.response.body":
                self._turns.done(hearing, message.get("body", b"").count(_ENDED))
            await send(message)

        hearing = _session(scope) if scope["path"] == _HEAR else ""
        try:
            self._check(scope)
            self._check_allowance(scope, client)
            if scope["method"] == "POST" and _WITH_FILES.fullmatch(scope["path"]):
                body = await _body(receive)
                session = _session_in(self._checked(body))
                if scope["path"] == _JOIN and not self._turns.take(client, session):
                    raise _Refused(
                        429, "too many jobs are waiting already; let some of them finish first"
                    )
                receive = _again(body, receive)
        except _Refused as refused:
            answer = PlainTextResponse(f"{refused.told}\n", refused.status)
            await answer(scope, receive, guarded)
            return
        try:
            await self._app(scope, receive, guarded)
        finally:
            if hearing:  # Gradio drops the pending actions of a closed session
                self._turns.left(hearing)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_own(host, self._names):
            raise _Refused(
                421,
                "not served under this host name; allow it with 'vidstyle ui --allow-host NAME'",
            )
        origin = headers.get("origin")
        if origin is not None and not _is_same(origin, host):
            raise _Refused(403, "requests from other sites are refused")
        known = {"GET": _READ, "HEAD": _READ, "POST": _TOLD}.get(scope["method"])
        if known is None or not known.fullmatch(scope["path"]):
            raise _Refused(404, "there is no such page")

    def _check_allowance(self, scope: Scope, client: str | None) -> None:
        if scope["path"].startswith("/login") and not self._guesses.allows(client):
            raise _Refused(429, "too many wrong passwords; wait a few minutes")
        if scope["path"] == _UPLOAD:
            length = Headers(scope=scope).get("content-length", "")
            if not length.isdecimal():
                raise _Refused(411, "an upload must state its length")
            if not self._bytes.allows(client, int(length)):
                raise _Refused(429, "hourly upload limit exceeded")
            self._bytes.spend(client, int(length))

    def _checked(self, body: bytes) -> Any:
        """The body's content, once no file it names is found outside the uploads."""
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            raise _Refused(400, "cannot be read as JSON") from None
        for path in _paths(content):
            if not isinstance(path, str) or not self._is_upload(path):
                raise _Refused(403, "names a file that was not uploaded")
        return content

    def _is_upload(self, path: str) -> bool:
        try:
            return Path(path).resolve().is_relative_to(self._uploads)
        except (OSError, ValueError):
            return False


def _session(scope: Scope) -> str:
    """The session whose events a request subscribes to."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return str(query.get("session_hash", [""])[0])


def _session_in(content: Any) -> str:
    """The session that queues an action."""
    return str(content.get("session_hash", "")) if isinstance(content, dict) else ""


def _is_same(origin: str, host: str) -> bool:
    """Whether an ``Origin`` is the page's own."""
    try:
        url = urlsplit(origin)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and url.netloc.lower() == host.lower()


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refused(400, "the request was cut off")
        body += message.get("body", b"")
        if len(body) > MOST_BODY:
            raise _Refused(413, f"the request is larger than {MOST_BODY} bytes")
        if not message.get("more_body"):
            return bytes(body)


def _again(body: bytes, rest: Receive) -> Receive:
    """Replay a body that was already read, then continue with ``rest``."""
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return unread.pop() if unread else await rest()

    return receive


def _paths(content: Any) -> Iterator[Any]:
    """Everything in a request's content that denotes a file. An empty path denotes none."""
    left = [content]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left += part.values()
            if part.get("path") not in (None, ""):
                yield part["path"]
        elif isinstance(part, list):
            left += part
