"""No visitor fills the page's queue alone."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from vidstyle.ui.guard import Guard
from vidstyle.ui.turns import SHARE, Turns


def test_an_address_has_its_share_over_all_its_sessions() -> None:
    turns = Turns(share=3)
    assert [turns.take("a", session) for session in ("one", "one", "two", "three")] == [
        *[True] * 3,
        False,
    ]
    assert turns.take("b", "four")
    turns.done("one")
    assert turns.take("a", "three")
    assert not turns.take("a", "three")
    turns.left("one")
    assert turns.take("a", "three")


def test_what_nobody_heard_the_end_of_is_forgotten() -> None:
    now = [0.0]
    turns = Turns(share=1, clock=lambda: now[0])
    assert turns.take("a", "one")
    now[0] = 3599
    assert not turns.take("a", "one")
    now[0] = 3601
    assert turns.take("a", "one")


def test_the_page_refuses_more_than_a_share_until_some_has_ended(tmp_path: Path) -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        told = b'data: {"msg":"process_completed"}\n\n' if scope["path"].endswith("data") else b"{}"
        await send({"type": "http.response.body", "body": told, "more_body": True})
        if scope["path"].endswith("data"):
            statuses.append(asyncio.create_task(ask("POST", "/gradio_api/queue/join", "s")))
            await statuses[-1]
        await send({"type": "http.response.body", "body": b""})

    guard = Guard(page, (), tmp_path, 0)
    statuses: list[Any] = []

    async def ask(method: str, path: str, session: str) -> int:
        seen: list[int] = []

        async def receive() -> dict[str, Any]:
            body = json.dumps({"data": [], "session_hash": session}).encode()
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                seen.append(message["status"])

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": f"session_hash={session}".encode(),
            "headers": [(b"host", b"localhost")],
            "client": ("10.0.0.1", 1),
        }
        await guard(scope, receive, send)
        return seen[0]

    async def visit() -> list[int]:
        answers = [await ask("POST", "/gradio_api/queue/join", "s") for _ in range(SHARE + 1)]
        await ask("GET", "/gradio_api/queue/data", "s")
        return [*answers, statuses[0].result()]

    assert asyncio.run(visit()) == [*[200] * SHARE, 429, 200]
