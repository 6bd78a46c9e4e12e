"""CustomResourceDefinitions of the kinds, and a JSON Schema for editors, made from the models."""

from __future__ import annotations

import json
from typing import Any

import yaml

from vistterstream.resources.kinds import GROUP, KINDS, VERSION, KindInfo
from vistterstream.resources.overlay import OCL_VERSION, OverlaySpec
from vistterstream.resources.schemas import Schema, plain_schema, structural

_HEADER = "# Generated from the models by `make generate`. Do not edit.\n"


def _condition(type_: str) -> str:
    return f'.status.conditions[?(@.type=="{type_}")].status'


_COLUMNS: dict[str, tuple[tuple[str, str, str], ...]] = {  # name, type, JSON path
    "Camera": (
        ("Online", "string", _condition("Online")),
        ("Program", "string", ".status.program"),
        ("Width", "integer", ".status.video.width"),
        ("Height", "integer", ".status.video.height"),
    ),
    "Overlay": (),
    "Timeline": (("Loop", "boolean", ".spec.loop"),),
    "Program": (
        ("Timeline", "string", ".spec.timeline"),
        ("OnAir", "string", ".status.onAir.source.name"),
        ("Reason", "string", ".status.onAir.reason"),
    ),
    "Output": (
        ("Program", "string", ".spec.program"),
        ("Publishing", "string", _condition("Publishing")),
        ("Target", "string", ".status.activeTarget"),
        ("Reconnects", "integer", ".status.reconnects"),
    ),
}


def custom_kinds() -> list[KindInfo]:
    """The kinds that are ours; the others are Kubernetes' own."""
    return [info for info in KINDS.values() if info.api_version.startswith(f"{GROUP}/")]


def crd(info: KindInfo) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{info.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": info.kind,
                "listKind": f"{info.kind}List",
                "plural": info.plural,
                "singular": info.singular,
                "shortNames": list(info.short_names),
                "categories": ["vistter"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _columns(info.kind),
                    "schema": {"openAPIV3Schema": _schema(info)},
                }
            ],
        },
    }


def crd_files() -> dict[str, str]:
    """Every CustomResourceDefinition as YAML, by name of file."""
    return {
        f"{GROUP}_{info.plural}.yaml": _HEADER
        + yaml.dump(crd(info), Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
        for info in custom_kinds()
    }


def editor_schema() -> str:
    """A JSON Schema of a manifest of any kind, as text.

    Editors that use yaml-language-server check and complete a manifest that starts with
    ``# yaml-language-server: $schema=PATH/crds/schema.json``.
    """
    definitions: dict[str, Schema] = {}
    for info in KINDS.values():
        schema, inner = plain_schema(info.model, "#/definitions/{model}")
        definitions |= inner | {info.kind: schema}
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "VistterStream manifest",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "properties": {"kind": {"enum": list(KINDS)}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"#/definitions/{kind}"},
            }
            for kind in KINDS
        ],
        "definitions": dict(sorted(definitions.items())),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def ocl_schema() -> str:
    """A JSON Schema of the Overlay Composition Language, in which `spec` of an Overlay is written."""
    schema, inner = plain_schema(OverlaySpec, "#/$defs/{model}")
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://{GROUP}/ocl/{OCL_VERSION}/schema.json",
        **schema,
        "title": f"Overlay Composition Language {OCL_VERSION}",
        "$defs": dict(sorted(inner.items())),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _columns(kind: str) -> list[dict[str, str]]:
    ready = ("Ready", "string", _condition("Ready"))
    age = ("Age", "date", ".metadata.creationTimestamp")
    columns = (*_COLUMNS[kind], ready, age)
    return [{"name": name, "type": type_, "jsonPath": path} for name, type_, path in columns]


def _schema(info: KindInfo) -> Schema:
    whole = structural(info.model)
    parts = whole["properties"]
    return {
        "description": whole["description"],
        "type": "object",
        **({"required": ["spec"]} if "spec" in whole["required"] else {}),
        "properties": {
            "apiVersion": {"description": parts["apiVersion"]["description"], "type": "string"},
            "kind": {"description": parts["kind"]["description"], "type": "string"},
            "metadata": {"type": "object"},
            "spec": parts["spec"],
            "status": {word: value for word, value in parts["status"].items() if word != "default"},
        },
        "x-kubernetes-validations": [
            {
                "rule": "self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",
                "message": "a name has at most 63 characters and no dots",
            }
        ],
    }


class _Dumper(yaml.SafeDumper):
    """Lists indented below their field, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        return True
