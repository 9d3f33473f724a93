"""JSON documents that carry a checksum of their content, so that damage is detected."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from vidstyle.errors import MediaError
from vidstyle.runtime.atomic import replacing

SEAL = "sha256"
"""The key of the checksum."""

#: Maximum document size in bytes, ten times that of a clip of 100,000 frames.
_LARGEST = 1 << 28


def seal(content: Mapping[str, Any]) -> str:
    """The sha256, in hexadecimal, of a JSON object's content, whatever its formatting."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def write_sealed(path: Path, content: Mapping[str, Any]) -> str:
    """Atomically write a JSON object with its checksum.

    Returns:
        The checksum.

    Raises:
        MediaError: the disk write fails.
    """
    digest = seal(content)
    text = json.dumps({**content, SEAL: digest}, indent=1) + "\n"
    with replacing(path) as file:
        file.write(text.encode())
    return digest


def read_sealed(path: Path, advice: str) -> tuple[dict[str, Any], str]:
    """The document's content, without its checksum, and the checksum.

    Args:
        advice: what to do if it is damaged.

    Raises:
        FileNotFoundError: it does not exist.
        MediaError: it cannot be read, or its checksum does not match.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        content = from_json(path.read_bytes(), allow_inf_nan=False)
        if not isinstance(content, dict):
            raise ValueError("not a JSON object")
        found = content.pop(SEAL, None)
        if found != seal(content):
            raise ValueError("its checksum differs")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror}); {advice}") from None
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise MediaError(f"{path}: damaged ({reason}); {advice}") from None
    return content, found
