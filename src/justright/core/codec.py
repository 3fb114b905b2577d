"""Frozen dataclasses to canonical JSON and back, and their fingerprints."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin

import numpy as np

T = TypeVar("T")


def to_document(value: Any) -> Any:
    """Turn a value into JSON types (dict, list, str, int, float, bool, None).

    Args:
        value: Frozen dataclass, enum, mapping, sequence or plain JSON value, nested at will.

    Raises:
        TypeError: If a part has no JSON form.

    >>> to_document((1, "a", {"b": None}))
    [1, 'a', {'b': None}]
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_document(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_document(item) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        items = sorted(value) if isinstance(value, frozenset | set) else value
        return [to_document(item) for item in items]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no JSON form: {value!r}")


def from_document(cls: type[T], document: Any) -> T:
    """Build a frozen dataclass from its JSON form; unknown keys are an error.

    Args:
        cls: The dataclass to build.
        document: What `to_document` returned, possibly after a trip through JSON.

    Raises:
        ValueError: If a key is unknown or a required one is missing.
    """
    return typing.cast(T, _decode(cls, document, cls.__name__))


def dumps(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, so equal values have equal text."""
    document = to_document(value)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(value: Any) -> str:
    """Sixteen hex digits (64 bits of SHA-256) that name a value.

    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(dumps(value).encode()).hexdigest()[:16]


def _decode(kind: Any, document: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if document is None:
            return None
        return _decode(next(a for a in get_args(kind) if a is not type(None)), document, where)
    if origin is tuple:
        inner = get_args(kind)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(_decode(inner[0], item, where) for item in document)
        return tuple(_decode(k, item, where) for k, item in zip(inner, document, strict=True))
    if origin is list:
        return [_decode(get_args(kind)[0], item, where) for item in document]
    if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return {key: _decode(get_args(kind)[1], item, where) for key, item in document.items()}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, document, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(document)
    if kind is float and isinstance(document, int) and not isinstance(document, bool):
        return float(document)
    return document


def _decode_dataclass(kind: type, document: Any, where: str) -> Any:
    if not isinstance(document, Mapping):
        raise ValueError(f"{where}: expected an object, got {document!r}")
    hints = typing.get_type_hints(kind)
    known = {f.name for f in dataclasses.fields(kind)}
    unknown = sorted(set(document) - known)
    if unknown:
        raise ValueError(f"{where}: unknown keys {unknown}; known are {sorted(known)}")
    values = {key: _decode(hints[key], item, f"{where}.{key}") for key, item in document.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error
