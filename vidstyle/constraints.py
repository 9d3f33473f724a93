"""Allowed values of options: declared once, on the field, for every reader of that option."""

import math
import types
from collections.abc import Iterator
from dataclasses import Field, dataclass, fields
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from annotated_types import GroupedMetadata, Interval, Predicate

from vidstyle.errors import UsageError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# Fields with a different name on the command line.
_OPTIONS = {"first": "--in", "last": "--out", "step": "--qc-step", "page": "--qc-html"}


@dataclass(frozen=True)
class OneOf(GroupedMetadata):
    """A string that is one of these names."""

    names: tuple[str, ...]

    def __iter__(self) -> Iterator[object]:
        yield Predicate(self.names.__contains__)


@dataclass(frozen=True)
class Within(GroupedMetadata):
    """A finite number from ``least`` to ``most``; None is unbounded."""

    least: float
    most: float | None = None

    def __iter__(self) -> Iterator[object]:
        yield Interval(ge=self.least, le=self.most)
        yield Predicate(math.isfinite)


class Checked:
    """A dataclass whose fields are annotated with their allowed values and validated on
    construction."""

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: names the option and its allowed values.
        """
        for field in fields(self):  # type: ignore[arg-type]  # subclasses are dataclasses
            if (value := getattr(self, field.name)) is not field.default:
                check(type(self), field.name, value)


def check(of: type[Checked], name: str, value: object) -> None:
    """Reject values that a field does not allow.

    Raises:
        UsageError: names the option and its allowed values.
    """
    from pydantic import ValidationError

    try:
        _adapter(of, name).validate_python(value, strict=True)
    except ValidationError:
        shown = f"{value:g}" if isinstance(value, float) else value
        raise UsageError(f"{option_of(name)} {shown}: {wanted(of, name)}") from None


def option_of(name: str) -> str:
    """A field's name on the command line."""
    return _OPTIONS.get(name, f"--{name.replace('_', '-')}")


def read(of: type[Checked], name: str, text: str) -> Any:
    """Parse a field's value; multiple values are separated by ``|``.

    Raises:
        ValueError: names the allowed values.
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
    """A field's allowed values, as the end of a message that begins with the invalid one."""
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
    """A field's constraint; None if its type is the only one."""
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
    # Imported here so that --help and error messages need not wait for it.
    from pydantic import TypeAdapter

    annotation: Any = _field(of, name).type
    return TypeAdapter(annotation)
