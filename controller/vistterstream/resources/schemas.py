"""Structural schemas: what the models say, in the words that Kubernetes accepts in CRDs.

See https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/: no
references, a type everywhere, no null in unions, properties and additionalProperties never together, and
only patterns that RE2 reads. What pydantic alone can check is left to the controller, which says it in the
object's status.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.alias_generators import to_camel

from vistterstream.resources.model import OWN_KEYS, Model

Schema = dict[str, Any]

_LIST_KEYS = ("name", "type", "property")
"""Fields that tell the items of a list apart, where they are required."""
_KEPT = (
    "type",
    "format",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "required",
)


def structural(model: type[Model]) -> Schema:
    """The structural schema of a model and of all that is in it."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _Translator(schema.get("$defs", {}), _choices(model), _depths()).translate(schema)


def plain_schema(model: type[Model], ref_template: str) -> tuple[Schema, dict[str, Schema]]:
    """JSON Schema for editors: of a model, and of the models in it by name."""
    schema = _without_ours(model.model_json_schema(by_alias=True, ref_template=ref_template))
    return schema, schema.pop("$defs", {})


def _choices(model: type[Model]) -> dict[str, tuple[str, ...]]:
    """`EXACTLY_ONE` of every model, by its name in the schema."""
    found = {
        child.__name__: tuple(to_camel(name) for name in child.EXACTLY_ONE)
        for child in _models()
        if child.EXACTLY_ONE
    }
    return found | ({model.__name__: ()} if not model.EXACTLY_ONE else {})


def _models() -> Iterator[type[Model]]:
    waiting: list[type[Model]] = [Model]
    while waiting:
        children = waiting.pop().__subclasses__()
        waiting += children
        yield from children


def _depths() -> dict[str, int]:
    """`MAX_DEPTH` of the models that may hold themselves, by name."""
    models = [child for child in _models() if child.MAX_DEPTH]
    return {child.__name__: child.MAX_DEPTH for child in models}


class _Translator:
    """Structural schemas have no references, so what holds itself is written out, as deep as is allowed."""

    def __init__(
        self, definitions: dict[str, Schema], choices: dict[str, tuple[str, ...]], depths: dict[str, int]
    ) -> None:
        self._definitions = definitions
        self._choices = choices
        self._depths = depths
        self._open: list[str] = []

    def translate(self, schema: Schema) -> Schema:
        """`schema` in Kubernetes' words."""
        schema = self._resolved(schema)
        result: Schema = {}
        if "description" in schema:
            result["description"] = " ".join(schema["description"].split())
        result |= {word: schema[word] for word in _KEPT if word in schema}
        if "const" in schema:
            result["enum"] = [schema["const"]]
        if schema.get("default") is not None:
            result["default"] = _without_nulls(schema["default"])
        if schema.get("type") == "array":
            self._array(schema, result)
        if schema.get("type") == "object":
            self._object(schema, result)
        return result

    def _resolved(self, schema: Schema) -> Schema:
        """`schema` without references and unions with null; its own words win over the inner ones."""
        options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
        if options:
            (inner,) = options
            return self._resolved(inner | {key: value for key, value in schema.items() if key != "anyOf"})
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            inner = {"x-model": name} | self._definitions[name]
            return self._resolved(inner | {key: value for key, value in schema.items() if key != "$ref"})
        return schema

    def _too_deep(self, schema: Schema) -> bool:
        """Whether `schema` is of a model that stands in itself as deep as it may already."""
        name = self._resolved(schema).get("x-model", "")
        return name in self._depths and self._open.count(name) >= self._depths[name]

    def _array(self, schema: Schema, result: Schema) -> None:
        items = self.translate(schema["items"])
        result["items"] = items
        keys = [key for key in _LIST_KEYS if key in items.get("required", ())]
        result["x-kubernetes-list-type"] = "map" if keys else "atomic"
        if keys:
            result["x-kubernetes-list-map-keys"] = keys[:1]

    def _object(self, schema: Schema, result: Schema) -> None:
        if "properties" not in schema:
            inner = schema.get("additionalProperties")
            result["additionalProperties"] = self.translate(inner if isinstance(inner, dict) else {})
            return
        name = schema.get("x-model", "")
        self._open.append(name)
        inside = {name: inner for name, inner in schema["properties"].items() if not self._too_deep(inner)}
        result["properties"] = {name: self.translate(inner) for name, inner in inside.items()}
        self._open.pop()
        if schema.get("additionalProperties") is True:
            result["x-kubernetes-preserve-unknown-fields"] = True
        choices = self._choices.get(name, ())
        # In a list in a list in a list, the API server would find the rule too expensive.
        if choices and not any(opened in self._depths for opened in self._open):
            given = ", ".join(f"has(self.{name})" for name in choices)
            result["x-kubernetes-validations"] = [
                {
                    "rule": f"[{given}].exists_one(given, given)",
                    "message": f"exactly one of {', '.join(choices)} must be given",
                }
            ]


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value


def _without_ours(schema: Any) -> Any:
    """`schema` without our own words and without titles, which editors would show instead of descriptions."""
    if isinstance(schema, dict):
        return {
            key: _without_ours(value)
            for key, value in schema.items()
            if key not in OWN_KEYS and not (key == "title" and isinstance(value, str))
        }
    if isinstance(schema, list):
        return [_without_ours(value) for value in schema]
    return schema
