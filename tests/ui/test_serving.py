"""The page as hostile visitors and other sites meet it, without a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

httpx = pytest.importorskip("httpx")
pytest.importorskip("gradio")

JOIN = "/gradio_api/queue/join"


@pytest.fixture(scope="module")
def address(served, tiny_model) -> Iterator[str]:
    with served("--model", tiny_model, "--device", "cpu", "--allow-host", "Render01") as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator["httpx.Client"]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


def test_its_own_names(client, address: str) -> None:
    port = address.rpartition(":")[2]
    for host in (f"127.0.0.1:{port}", "localhost", "render01", f"render01:{port}", "[::1]:80"):
        answer = client.get("/config", headers={"Host": host, "Origin": f"http://{host}"})
        assert answer.status_code == 200, host


@pytest.mark.parametrize(
    "host", ["evil.example", "render01.evil.example", "evil.example@127.0.0.1", "[::1", "", "a:b:c"]
)
def test_another_name_is_another_site(client, host: str) -> None:
    answer = client.get("/config", headers={"Host": host})
    assert answer.status_code == 421
    assert "--allow-host NAME" in answer.text


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://["]
)
def test_another_origin_reads_nothing(client, origin: str) -> None:
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for answer in (
        client.get("/config", headers={"Origin": origin}),
        client.options("/config", headers=asks),
        client.post(JOIN, headers={"Origin": origin}, json={"data": []}),
    ):
        assert answer.status_code == 403
        assert not any(name.startswith("access-control") for name in answer.headers)


def test_what_every_answer_tells_the_browser(client) -> None:
    for path in ("/", "/config", "/nothing", "/gradio_api/file=/etc/hostname"):
        headers = client.get(path, headers={"Origin": str(client.base_url).rstrip("/")}).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "http" not in headers["Content-Security-Policy"]  # nothing from elsewhere
        assert not any(name.startswith("access-control") for name in headers)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/hostname",
        "/proc/self/fd/3",
        "/proc/self/environ",
        "setup.cfg",
        "../../../etc/hostname",
        "http://127.0.0.1:9/",
        "https://example.com/",
        "file:///etc/hostname",
    ],
)
def test_files_that_were_not_uploaded(client, path: str) -> None:
    assert client.get(f"/gradio_api/file={path}").status_code in (403, 404)
    for named in ({"path": path}, {"path": path, "meta": {"_type": "gradio.FileData"}}):
        body = {"data": [None, {"layers": [named]}], "fn_index": 0, "session_hash": "s"}
        for route in (JOIN, "/gradio_api/run/predict", "/gradio_api/stream/abc"):
            answer = client.post(route, json=body)
            assert (answer.status_code, answer.text) == (
                403,
                "names a file that was not uploaded\n",
            )


def test_routes_without_use_are_shut(client) -> None:
    for path in ("proxy=http://a.hf.space", "deep_link", "run-history/buckets", "openapi.json"):
        assert client.get(f"/gradio_api/{path}").status_code == 404
    for path in ("/monitoring", "/docs", "/dev/reload"):
        assert client.get(path).status_code == 404
    for path in ("run/preview", "api/preview", "call/preview", "component_server", "vibe-code"):
        assert client.post(f"/gradio_api/{path}", json={"data": []}).status_code == 404


def test_no_websocket_is_opened(client) -> None:
    asks = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    for path in ("/", JOIN):
        assert client.get(path, headers=asks).status_code != 101


def test_requests_that_are_too_large_or_no_json(client) -> None:
    for body, status in ((b"[" * 100_000, 400), (b"{", 400), (b" " * (2**24 + 1), 413)):
        assert client.post(JOIN, content=body).status_code == status


@pytest.fixture
def call(client) -> Callable[..., str]:
    """Calls an action as the page does, with the values that its parts have at first where none
    are given; returns what comes of it, as JSON."""
    config = client.get("/config").json()
    values = {part["id"]: part["props"].get("value") for part in config["components"]}
    actions = {action["api_name"]: action for action in config["dependencies"]}

    def called(name: str, *given: object) -> str:
        action = actions[name]
        data = [*given, *(values[number] for number in action["inputs"][len(given) :])]
        body = {"data": data, "fn_index": action["id"], "session_hash": "visitor"}
        assert client.post(JOIN, json=body).status_code == 200
        told = client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "visitor"})
        with told as answer:
            return next(line for line in answer.iter_lines() if "process_completed" in line)

    return called


def test_a_name_reads_no_file(client, call, shot, style_picture) -> None:
    """Not even a picture of the machine that serves, as a mask that the preview shows."""

    def uploaded(path: Path) -> dict[str, object]:
        files = {"files": (path.name, path.read_bytes())}
        (there,) = client.post("/gradio_api/upload", files=files).json()
        return {"path": there, "meta": {"_type": "gradio.FileData"}}

    assert '"success":true' in call("take_clip", None, uploaded(shot.clip))
    assert '"success":true' in call("add_styles", None, [uploaded(style_picture)])
    assert '"success":true' in call("preview", None, 0)
    for secret in (f"mask:{shot.mask}", f"matte:{shot.mattes}"):
        call("choose_kind", None, "name", secret, 0)
        told = call("preview", None, 0)
        assert "is not a name" in told
        assert '"url"' not in told, "no picture is handed out"


def test_a_range_may_be_left_open(call) -> None:
    """Emptied numbers arrive as none."""
    told = call("render_part", None, 0, None, None, None)
    assert "role=" in told  # something else is missing
    assert "This is a bug" not in told


def test_an_address_uploads_so_much_and_no_more(served, tiny_model) -> None:
    with (
        served("--model", tiny_model, "--device", "cpu", "--max-upload", 1) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        files = {"files": ("clip.mp4", bytes(2**20 - 1000))}
        answers = [client.post("/gradio_api/upload", files=files) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
        endless = client.post("/gradio_api/upload", content=iter([b"x"]))
        assert endless.status_code == 411


def test_passwords_cannot_be_guessed(served, tiny_model) -> None:
    with (
        served("--model", tiny_model, VIDSTYLE_PASSWORD="open sesame") as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        wrong = {"username": "vidstyle", "password": "sesame"}
        right = {**wrong, "password": "open sesame"}
        assert client.post("/login", data=right).status_code == 200
        answers = [client.post("/login", data=wrong).status_code for _ in range(12)]
        assert answers == [400] * 10 + [429] * 2
        assert client.post("/login", data=right).status_code == 429


def test_an_empty_password_is_refused(vidstyle) -> None:
    refused = vidstyle("ui", "--host", "0.0.0.0", "--password", "")
    assert refused.code == 2
    assert "--password is empty" in refused.err
