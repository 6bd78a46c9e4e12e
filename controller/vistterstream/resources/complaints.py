"""Validation errors of pydantic, said in words that help the user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from vistterstream.resources.messages import enumeration, nearest, shown
from vistterstream.resources.model import Model, Problems

Path = tuple[str | int, ...]

_UNQUOTED = re.compile(r"-?[0-9]+(\.[0-9]+)?|true|false")

_TYPES = {
    "string_type": "must be text; put it in quotes if it is meant as text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "none_required": "must not be given",
    "model_type": "must be a mapping of names to values",
    "model_attributes_type": "must be a mapping of names to values",
}

_BOUNDS = {
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "multiple_of": ("multiple_of", "must be a multiple of {}"),
    "string_too_long": ("max_length", "must have at most {} characters"),
    "too_long": ("max_length", "must have at most {} items"),
}


def complaint(model: type[Model], error: ErrorDetails, *, emptied: bool) -> Iterator[tuple[Path, str, bool]]:
    """What to tell the user of an error in a `model`: paths, sentences, and whether the name of the field
    is meant and not its value. `emptied`: the field is there, with nothing in it.
    """
    path, kind, context = tuple(error["loc"]), error["type"], error.get("ctx", {})
    if kind == "value_error":
        yield from _of_ours(path, context.get("error"))
    elif kind == "extra_forbidden":
        yield path, f"there is no such field{_suggestion(model, path)}", True
    elif kind == "missing":
        yield path, "has no value; it must be given" if emptied else "must be given", True
    elif kind in ("enum", "literal_error"):
        yield path, _choice(error["input"], str(context.get("expected", ""))), False
    elif kind in _BOUNDS:
        name, sentence = _BOUNDS[kind]
        yield path, sentence.format(f"{context.get(name):g}"), False
    elif kind in ("too_short", "string_too_short"):
        least = context.get("min_length", 1)
        # Items that are wrong themselves are not counted by pydantic.
        if not isinstance(error["input"], list) or len(error["input"]) < least:
            yield path, "must not be empty" if least == 1 else f"must have at least {least}", False
    else:
        yield path, _wrong_type(kind, error), False


def _wrong_type(kind: str, error: ErrorDetails) -> str:
    sentence = _TYPES.get(kind) or error["msg"]
    given = error["input"]
    quoted = isinstance(given, str) and _UNQUOTED.fullmatch(given) and "text" not in sentence
    return f"{sentence}; take the quotes away" if quoted else sentence


def _of_ours(path: Path, cause: Any) -> Iterator[tuple[Path, str, bool]]:
    if path and path[-1] == "[key]":  # pydantic's way to say that the key of a dict is wrong
        yield path[:-1], str(cause), True
    elif isinstance(cause, Problems):
        for inner, sentence in cause.problems:
            yield (*path, *inner), sentence, False
    else:
        yield path, str(cause), False


def _choice(given: Any, expected: str) -> str:
    words = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    if len(words) == 1:
        return f"must be {words[0]}"
    suggestion = nearest(given, words) if isinstance(given, str) else ""
    return f"{shown(str(given))} is not one of {enumeration(words)}{suggestion}"


def _suggestion(model: type[Model], path: Path) -> str:
    names = field_names(model, path[:-1])
    suggestion = nearest(str(path[-1]), names)
    if suggestion or not names:
        return suggestion
    return f"; there are {enumeration(names, 'and')}" if len(names) > 1 else f"; there is {names[0]}"


def field_names(model: type[BaseModel], path: Path) -> list[str]:
    """The names, as in YAML, of the fields that the model at `path` under `model` has."""
    found: Any = model
    for step in path:
        if isinstance(found, type) and issubclass(found, BaseModel):
            fields = {info.alias or name: info.annotation for name, info in found.model_fields.items()}
            found = _inside(fields.get(str(step)))
        elif isinstance(step, int):
            found = _inside(get_args(found)[0] if get_args(found) else None)
        else:
            found = None
    if isinstance(found, type) and issubclass(found, BaseModel):
        return [info.alias or name for name, info in found.model_fields.items() if name != "status"]
    return []


def _inside(annotation: Any) -> Any:
    """An annotation without ``Annotated`` and ``| None``."""
    if get_origin(annotation) is Annotated:
        return _inside(get_args(annotation)[0])
    options = [option for option in get_args(annotation) if option is not type(None)]
    if len(options) == 1 and type(None) in get_args(annotation):
        return _inside(options[0])
    return annotation
