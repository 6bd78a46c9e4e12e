from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from vistterstream.resources.crds import crd, crd_files, custom_kinds, editor_schema
from vistterstream.resources.kinds import KINDS, KindInfo
from vistterstream.resources.manifests import load

ROOT = Path(__file__).parents[2]
INFOS = custom_kinds()
MANIFESTS = sorted([*ROOT.glob("examples/*/*.yaml"), *ROOT.glob("manifests/*.yaml")])
BROKEN = Path(__file__).parent / "broken"

# The words of a structural schema; everything else is refused or dropped by the API server.
WORDS = {
    "description", "type", "format", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum",
    "multipleOf", "minItems", "maxItems", "required", "properties", "items", "additionalProperties",
    "default", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations",
}  # fmt: skip


@cache
def schema(info: KindInfo) -> dict[str, Any]:
    (version,) = crd(info)["spec"]["versions"]
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


def walk(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, inner in node.get("properties", {}).items():
        yield from walk(inner, f"{path}.{name}")
    if "items" in node:
        yield from walk(node["items"], f"{path}[]")
    if "additionalProperties" in node:
        yield from walk(node["additionalProperties"], f"{path}{{}}")


def complaints(node: dict[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """What an API server would say of `value`; the part of OpenAPI v3 that our schemas use."""
    types: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
    }
    if not isinstance(value, types[node["type"]]) or (node["type"] != "boolean" and isinstance(value, bool)):
        yield f"{path}: {value!r} is no {node['type']}"
        return
    if isinstance(value, dict):
        yield from (f"{path}: lacks {name}" for name in node.get("required", ()) if name not in value)
        for name, inner in value.items():
            below = node.get("properties", {}).get(name, node.get("additionalProperties"))
            if below is not None:
                yield from complaints(below, inner, f"{path}.{name}")
            elif "properties" in node and not node.get("x-kubernetes-preserve-unknown-fields"):
                yield f"{path}: has no field {name}"
        for rule in node.get("x-kubernetes-validations", ()):
            names = re.findall(r"has\(self\.(\w+)\)", rule["rule"])
            if names and sum(name in value for name in names) != 1:
                yield f"{path}: {rule['message']}"
    elif isinstance(value, list):
        if not node.get("minItems", 0) <= len(value) <= node.get("maxItems", len(value)):
            yield f"{path}: {len(value)} items"
        for index, inner in enumerate(value):
            yield from complaints(node["items"], inner, f"{path}[{index}]")
    elif isinstance(value, str):
        if not re.search(node.get("pattern", ""), value) or value not in node.get("enum", (value,)):
            yield f"{path}: {value!r} does not match"
        if not node.get("minLength", 0) <= len(value) <= node.get("maxLength", len(value)):
            yield f"{path}: {value!r} has a wrong length"
    elif not isinstance(value, bool):
        if not node.get("minimum", value) <= value <= node.get("maximum", value):
            yield f"{path}: {value!r} is out of bounds"
        if value % node.get("multipleOf", 1) and "multipleOf" in node:
            yield f"{path}: {value!r} is no multiple"


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.kind)
class TestSchema:
    def test_it_has_only_the_words_of_structural_schemas(self, info: KindInfo) -> None:
        for path, node in walk(schema(info)):
            assert set(node) <= WORDS, path

    def test_everything_has_a_type_and_a_description(self, info: KindInfo) -> None:
        for path, node in walk(schema(info)):
            assert node.get("type") in {"object", "array", "string", "integer", "number", "boolean"}, path
            if path != ".metadata" and not path.endswith(("[]", "{}")):
                assert node.get("description"), path

    def test_properties_and_additional_properties_never_stand_together(self, info: KindInfo) -> None:
        for path, node in walk(schema(info)):
            assert not ("properties" in node and "additionalProperties" in node), path
            if node["type"] == "object" and path != ".metadata":
                assert "properties" in node or "additionalProperties" in node, path

    def test_patterns_are_such_that_re2_reads_them(self, info: KindInfo) -> None:
        for path, node in walk(schema(info)):
            if pattern := node.get("pattern"):
                assert pattern.startswith("^"), path
                assert pattern.endswith("$"), path
                assert not re.search(r"\(\?[^:]|\\[1-9bBZzAdwsDWS]|[*+?}]\+", pattern), path

    def test_defaults_fit_their_own_schema(self, info: KindInfo) -> None:
        for path, node in walk(schema(info)):
            if "default" in node:
                assert list(complaints(node, node["default"])) == [], path

    def test_lists_of_named_things_are_maps(self, info: KindInfo) -> None:
        for path, node in walk(schema(info)):
            if node["type"] != "array":
                continue
            kind = node["x-kubernetes-list-type"]
            if kind == "map":
                (key,) = node["x-kubernetes-list-map-keys"]
                assert key in node["items"]["required"], path
            else:
                assert kind == "atomic"
                assert "name" not in node["items"].get("required", ()), path

    def test_no_field_has_a_name_that_yaml_1_1_reads_otherwise(self, info: KindInfo) -> None:
        for path, node in walk(schema(info)):
            names = set(node.get("properties", ()))
            if path.endswith(".position"):
                names.remove("y")  # the coordinate; kubectl reads it as text
            assert not names & {"y", "n", "on", "off", "yes", "no"}, path

    def test_metadata_is_left_to_kubernetes(self, info: KindInfo) -> None:
        assert schema(info)["properties"]["metadata"] == {"type": "object"}

    def test_status_is_a_subresource_that_newer_controllers_may_extend(self, info: KindInfo) -> None:
        (version,) = crd(info)["spec"]["versions"]
        assert version["subresources"] == {"status": {}}
        assert schema(info)["properties"]["status"]["x-kubernetes-preserve-unknown-fields"] is True

    def test_every_column_shows_a_field_that_exists(self, info: KindInfo) -> None:
        (version,) = crd(info)["spec"]["versions"]
        paths = {path for path, _ in walk(schema(info))} | {".metadata.creationTimestamp"}
        for column in version["additionalPrinterColumns"]:
            path = re.sub(r"\[\?\(@\.type==\"[A-Za-z]+\"\)\]", "[]", column["jsonPath"])
            assert path in paths, column

    def test_names_are_those_of_the_kind(self, info: KindInfo) -> None:
        definition = crd(info)
        names = definition["spec"]["names"]
        assert definition["metadata"]["name"] == f"{names['plural']}.{definition['spec']['group']}"
        assert {names["plural"], names["singular"], *names["shortNames"]} <= set(info.words)


def test_lists_of_targets_layers_and_tracks_merge_by_name() -> None:
    output = dict(walk(schema(KINDS["Output"])))
    overlay = dict(walk(schema(KINDS["Overlay"])))
    assert output[".spec.targets"]["x-kubernetes-list-map-keys"] == ["name"]
    assert overlay[".spec.layers"]["x-kubernetes-list-map-keys"] == ["name"]
    assert overlay[".spec.layers[].tracks"]["x-kubernetes-list-map-keys"] == ["property"]
    assert overlay[".spec.layers[].tracks[].keyframes"]["x-kubernetes-list-type"] == "atomic"
    assert output[".status.conditions"]["x-kubernetes-list-map-keys"] == ["type"]


def test_exactly_one_rules_are_in_the_schema() -> None:
    targets = dict(walk(schema(KINDS["Output"])))[".spec.targets[]"]
    (rule,) = targets["x-kubernetes-validations"]
    assert rule["rule"] == "[has(self.url), has(self.hls), has(self.recording)].exists_one(given, given)"


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_the_controller_takes_the_schema_takes(file: Path) -> None:
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        if document["kind"] in {info.kind for info in INFOS}:
            assert list(complaints(schema(KINDS[document["kind"]]), document)) == []
    for located in load(file.read_bytes(), str(file)).objects:
        if located.resource.kind in {info.kind for info in INFOS}:
            assert list(complaints(schema(KINDS[located.resource.kind]), located.resource.dump())) == []


@pytest.mark.parametrize(
    "name",
    [
        "camera-two-sources",
        "camera-file-url",
        "camera-password-in-url",
        "camera-unknown-fields",
        "overlay-two-contents",
        "overlay-sizes",
        "timeline-negative",
        "program-format",
        "program-frame-rates",
        "output-schemes",
        "output-no-targets",
        "output-codec",
    ],
)
def test_the_schema_refuses_much_of_what_the_controller_refuses(name: str) -> None:
    documents = yaml.safe_load_all((BROKEN / f"{name}.yaml").read_text(encoding="utf-8"))
    assert any(list(complaints(schema(KINDS[document["kind"]]), document)) for document in documents)


@pytest.mark.slow
def test_files_are_yaml_that_says_where_it_comes_from() -> None:
    files = crd_files()
    assert set(files) == {f"stream.vistter.io_{info.plural}.yaml" for info in INFOS}
    for info in INFOS:
        text = files[f"stream.vistter.io_{info.plural}.yaml"]
        assert text.startswith("# Generated")
        assert yaml.safe_load(text) == crd(info)


@pytest.mark.slow
def test_the_editor_schema_knows_every_kind_and_resolves() -> None:
    whole = json.loads(editor_schema())
    references = set(re.findall(r'"#/definitions/(\w+)"', editor_schema()))
    assert set(KINDS) <= references <= set(whole["definitions"])
    assert whole["properties"]["kind"]["enum"] == list(KINDS)
    assert "x-vistter" not in editor_schema()
    camera = whole["definitions"]["CameraSource"]
    assert camera["additionalProperties"] is False
    assert "Address of the device" in camera["properties"]["url"]["description"]
