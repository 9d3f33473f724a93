"""What values an option may take: said once, on its field, and asked there by all who read it."""

import math
import types
from collections.abc import Iterator
from dataclasses import Field, dataclass, fields
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from annotated_types import GroupedMetadata, Interval, Predicate

from vidstyle.errors import UsageError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# Fields that the command line calls otherwise.
_OPTIONS = {"first": "--in", "last": "--out", "step": "--qc-step", "page": "--qc-html"}


@dataclass(frozen=True)
class OneOf(GroupedMetadata):
    """A text that is one of these names."""

    names: tuple[str, ...]

    def __iter__(self) -> Iterator[object]:
        yield Predicate(self.names.__contains__)


@dataclass(frozen=True)
class Within(GroupedMetadata):
    """A finite number from ``least`` to ``most``; None for no bound."""

    least: float
    most: float | None = None

    def __iter__(self) -> Iterator[object]:
        yield Interval(ge=self.least, le=self.most)
        yield Predicate(math.isfinite)


class Checked:
    """A dataclass whose fields are annotated with what they may hold, and checked when it is
    made."""

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: the option, and what it may be.
        """
        for field in fields(self):  # type: ignore[arg-type]  # subclasses are dataclasses
            if (value := getattr(self, field.name)) is not field.default:
                check(type(self), field.name, value)


def check(of: type[Checked], name: str, value: object) -> None:
    """Refuse what a field cannot hold.

    Raises:
        UsageError: the option, and what it may be.
    """
    from pydantic import ValidationError

    try:
        _adapter(of, name).validate_python(value, strict=True)
    except ValidationError:
        shown = f"{value:g}" if isinstance(value, float) else value
        raise UsageError(f"{option_of(name)} {shown}: {wanted(of, name)}") from None


def option_of(name: str) -> str:
    """What the command line calls a field."""
    return _OPTIONS.get(name, f"--{name.replace('_', '-')}")


def read(of: type[Checked], name: str, text: str) -> Any:
    """A field's value from its text; several are parted by ``|``.

    Raises:
        ValueError: what it may be.
    """
    from pydantic import ValidationError

    try:
        if get_origin(kind_of(of, name)) is tuple:
            parts = tuple(part.strip() for part in text.split("|") if part.strip())
            return _adapter(of, name).validate_python(parts)
        return _adapter(of, name).validate_strings(text)
    except ValidationError:
        raise ValueError(wanted(of, name)) from None


def wanted(of: type[Checked], name: str) -> str:
    """What a field may be, to end a message with that begins with what it is not."""
    kind, constraint = kind_of(of, name), constraint_of(of, name)
    match constraint:
        case OneOf(names):
            return f"is none of {', '.join(names)}"
        case Within(least, most):
            number = "be a whole number " if kind is int else "lie " if most else "be a number "
            return f"must {number}" + (
                f"of at least {least}" if most is None else f"between {least} and {most}"
            )
    return {bool: "is neither yes nor no", int: "is no whole number"}.get(kind, "is not valid")


def constraint_of(of: type[Checked], name: str) -> OneOf | Within | None:
    """What bounds a field; None where its type says all."""
    found = getattr(_bare(of, name), "__metadata__", ())
    return next((each for each in found if isinstance(each, OneOf | Within)), None)


def kind_of(of: type[Checked], name: str) -> Any:
    """A field's type, without None and constraints."""
    bare = _bare(of, name)
    return get_args(bare)[0] if hasattr(bare, "__metadata__") else bare


def _bare(of: type[Checked], name: str) -> Any:
    """A field's annotation, without None."""
    annotation: Any = _field(of, name).type
    if get_origin(annotation) in (Union, types.UnionType):
        return next(each for each in get_args(annotation) if each is not type(None))
    return annotation


def _field(of: type[Checked], name: str) -> "Field[Any]":
    return next(field for field in fields(of) if field.name == name)  # type: ignore[arg-type]


def _adapter(of: type[Checked], name: str) -> "TypeAdapter[Any]":
    # Here: --help and refusals wait for no library.
    from pydantic import TypeAdapter

    annotation: Any = _field(of, name).type
    return TypeAdapter(annotation)
