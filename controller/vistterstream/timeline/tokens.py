"""Tokens such as ``{{ title }}`` in the texts of an overlay, and what takes their place. Pure.

Which fields have tokens is said by the fields themselves (`Tokens`), so nothing here knows the sorts of
layers. All tokens of a text are replaced at once: a value that looks like a token stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_args

from annotated_types import MaxLen

from vistterstream.resources.data import DataSource
from vistterstream.resources.model import TOKENS_KEY, Model, Tokens
from vistterstream.resources.overlay import Layer, OverlaySpec
from vistterstream.resources.texts import NAME_OF_A_VALUE
from vistterstream.timeline.plan import OverlayInstance

Tell = Callable[[str], None]
"""Takes a sentence about something that is not shown as it was written."""

_TOKEN = re.compile(rf"\{{\{{\s*({NAME_OF_A_VALUE})\s*\}}\}}")

_BLANK = " "  # where a text must have a character: nothing of it is seen
_HALF_A_PERCENT = re.compile(r"(?<!%)(%%)*%\Z")

M = TypeVar("M", bound=Model)


def tokens(model: Model) -> frozenset[str]:
    """The names of all tokens in the texts of `model`, and of what is in it."""
    return frozenset(_names(model))


def filled(model: M, values: Mapping[str, str], missing: Tell, tell: Tell) -> M:
    """`model` with each token replaced by its value; one without a value by nothing, or where the layer has
    a fallback, the layer by that.

    `missing` gets the names of those, and `tell` a sentence for each text that is too long.
    """
    if not isinstance(model, Layer) or model.fallback is None:
        return _filled(model, values, missing, tell)
    lacking: list[str] = []
    fallback = _filled(model.fallback, values, _ignore, tell)
    done = _filled(model.model_copy(update={"fallback": None}), values, lacking.append, tell)
    for name in lacking:
        missing(name)
    done = done.model_copy(update={"fallback": fallback})
    stand_in = done.stand_in
    return stand_in if lacking and isinstance(stand_in, type(model)) else done


def dressed(
    overlay: OverlayInstance, data: Callable[[OverlayInstance, DataSource], str | None], tell: Tell
) -> OverlaySpec:
    """The overlay as it is to be drawn: tokens of data replaced by what `data` says, or by their defaults.

    `tell` gets a sentence for each text that is too long.
    """
    if not overlay.spec.data:
        return overlay.spec
    values = dict(overlay.values)
    for source in overlay.spec.data:
        text = data(overlay, source)
        text = source.default if text is None else text
        if text is not None:
            values.setdefault(source.name, text)
    layers = []
    for layer in overlay.spec.layers:
        told: list[str] = []
        layers.append(filled(layer, values, _ignore, told.append))
        for sentence in told:
            tell(f"Layer {layer.name}: {sentence}.")
    return overlay.spec.model_copy(update={"layers": tuple(layers), "data": ()})


def _ignore(_: str) -> None:
    """Nobody wants to know."""


def _filled(model: M, values: Mapping[str, str], missing: Tell, tell: Tell) -> M:
    """As `filled`, of the fields of the model."""
    texts, parts = _fields(type(model))
    update: dict[str, Any] = {}
    for field in texts:
        text = getattr(model, field.name)
        if text is not None and "{{" in text:
            update[field.name] = _replaced(text, field, values, missing, tell)
    for name in parts:
        old = getattr(model, name)
        new: Any = old
        if isinstance(old, Model):
            new = filled(old, values, missing, tell)
        elif old:
            new = tuple(filled(part, values, missing, tell) for part in old)
        if new is not None and (new is not old if isinstance(old, Model) else _differ(old, new)):
            update[name] = new
    return model.model_copy(update=update) if update else model


class _Field(NamedTuple):
    """A field with tokens, and how many characters it may have."""

    name: str
    use: Tokens
    limit: int


def _differ(old: tuple[Model, ...], new: tuple[Model, ...]) -> bool:
    return any(one is not other for one, other in zip(old, new, strict=True))


def _names(model: Model) -> Iterator[str]:
    texts, parts = _fields(type(model))
    for field in texts:
        yield from _TOKEN.findall(getattr(model, field.name) or "")
    for name in parts:
        inner = getattr(model, name)
        for part in (inner,) if isinstance(inner, Model) else inner or ():
            yield from _names(part)


def _replaced(text: str, field: _Field, values: Mapping[str, str], missing: Tell, tell: Tell) -> str:
    """`text` with its tokens replaced, such that the field can hold it."""
    use, limit = field.use, field.limit

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1])
        if found is None:
            missing(match[1])
            return ""
        if use in (Tokens.LINE, Tokens.FORMAT):
            found = " ".join(found.split("\n"))
        return found.replace("%", "%%") if use is Tokens.FORMAT else found

    result = _TOKEN.sub(value, text)
    if len(result) > limit and use is Tokens.EXACT:
        tell(f"with its values it has {len(result)} characters, at most {limit} can be shown; it is left out")
        return _BLANK
    if len(result) > limit:
        tell(f"the text is cut off after {limit} characters")
        result = result[:limit]
        if use is Tokens.FORMAT and _HALF_A_PERCENT.search(result):
            result = result[:-1]
    return result or _BLANK if use in (Tokens.EXACT, Tokens.FORMAT) else result


@cache
def _fields(model: type[Model]) -> tuple[tuple[_Field, ...], tuple[str, ...]]:
    """The fields of a model that have tokens, and those with models in which there are such fields."""
    texts = []
    parts = []
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and TOKENS_KEY in extra:
            limit = next(item.max_length for item in info.metadata if isinstance(item, MaxLen))
            texts.append(_Field(name, Tokens(str(extra[TOKENS_KEY])), limit))
        elif any(_has_tokens(inner, frozenset()) for inner in _models(info.annotation)):
            parts.append(name)
    return tuple(texts), tuple(parts)


def _has_tokens(model: type[Model], around: frozenset[type[Model]]) -> bool:
    """Whether a text in the model has tokens; `around` are the models that it was found in."""
    if model in around:
        return False
    for info in model.model_fields.values():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and TOKENS_KEY in extra:
            return True
        if any(_has_tokens(inner, around | {model}) for inner in _models(info.annotation)):
            return True
    return False


def _models(annotation: Any) -> Iterator[type[Model]]:
    """The models in the annotation of a field."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
