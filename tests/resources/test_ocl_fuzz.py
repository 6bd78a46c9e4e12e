"""Random and mutated overlays: each is accepted, or refused with a position; none takes long."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from vistterstream.resources.kinds import Overlay
from vistterstream.resources.manifests import load

ROOT = Path(__file__).parents[2]
DOCUMENTS = 300
SECONDS = 1.0

_TRACKS = [
    {
        "property": "opacity",
        "keyframes": [{"at": "0s", "value": 0}, {"at": "1s", "value": 1, "easing": "easeOut"}],
    },
    {
        "property": "x",
        "repeat": "pingPong",
        "keyframes": [{"at": "0s", "value": 3.5}, {"at": "9s", "value": 70}],
    },
    {
        "property": "color",
        "keyframes": [{"at": "0s", "color": "#102030"}, {"at": "2s", "color": "#FFFFFF80"}],
    },
    {"property": "text", "keyframes": [{"at": "0s", "text": "One"}, {"at": "2s", "text": "\u05d0 two"}]},
    {
        "property": "scale",
        "repeat": "loop",
        "keyframes": [{"at": "0s", "value": 0.5}, {"at": "2s", "value": 2}],
    },
]
_SPEC: dict[str, Any] = {
    "version": "1.0",
    "canvas": {"width": 640, "height": 360},
    "layers": [
        {"name": "a", "rectangle": {"width": 60, "height": 40, "color": "#FF0000", "radius": 9},
         "tracks": [_TRACKS[0], _TRACKS[1], _TRACKS[2]], "exit": {"duration": "1s", "slide": "left"}},
        {"name": "b", "text": {"value": "Harbour {{ name }}", "size": 40, "width": 200, "align": "center",
         "outline": {"width": 2}, "shadow": {"right": 3, "blur": 5}, "background": "#00000080"},
         "tracks": [_TRACKS[3], _TRACKS[4]], "rotation": 10, "crop": {"left": 0.1}},
        {"name": "c", "image": {"file": "a.gif", "play": "loop", "sha256": "0" * 64,
         "fallback": {"text": "?"}}},
        {"name": "d", "clock": {"timeZone": "Europe/Oslo", "format": "%H:%M"}},
        {"name": "e", "countdown": {"duration": "5m", "format": "%H:%M:%S", "done": "Live"}},
        {"name": "f", "ticker": {"value": "news\nmore", "width": 600, "speed": 100.5}},
        {"name": "g", "qr": {"value": "https://vistter.io", "size": 100}, "scale": 0.9},
        {"name": "h", "frameCode": {"square": 8}, "position": {"anchor": "bottom", "y": -10}},
    ],
}  # fmt: skip
_VALUES: list[Any] = [
    None, True, 0, -1, 1, 0.5, 1e308, -1e-308, 10**18, 7680, 4096, "", "x", "0s", "1h", "-1s", "#FFFFFF",
    "\u202e\u05d0", "W" * 5000, "cubic-bezier(2,0,0,1)", "cubic-bezier(0,99,1,-99)", "hold", [], {}, [[]],
    {"at": "1s"}, "center", "loop", "opacity", "1.0", "2.0", "{{ a }}", "%S", "text",
    "\U0001f469\u200d\U0001f680",
]  # fmt: skip


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every container in a document, with each of its keys."""
    found: list[tuple[Any, Any]] = []
    keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        found.append((node, key))
        found.extend(places(node[key]))
    return found


def mutated(seed: int) -> dict[str, Any]:
    """The document with a few values changed, taken away, doubled or put elsewhere."""
    rng = random.Random(seed)
    document = {"apiVersion": "stream.vistter.io/v1alpha1", "kind": "Overlay", "metadata": {"name": "a"}}
    spec: dict[str, Any] = json.loads(json.dumps(_SPEC))
    rng.shuffle(spec["layers"])
    spec["layers"] = spec["layers"][: rng.randint(1, 8)]
    for _ in range(rng.randint(0, 3)):
        spots = places(spec)
        container, key = rng.choice(spots)
        action = rng.random()
        if action < 0.4:
            container[key] = rng.choice(_VALUES)
        elif action < 0.6 and isinstance(container[key], (int, float)):
            container[key] = container[key] * rng.choice([-1, 0, 0.3, 3, 100, 10**9])
        elif action < 0.75:
            del container[key]
        elif isinstance(container, list):
            container.insert(key, json.loads(json.dumps(container[key])))
        else:
            other, where = rng.choice(spots)
            container[key] = json.loads(json.dumps(other[where]))
    return document | {"spec": spec}


def torn(text: str, seed: int) -> bytes:
    """The text with a few bytes changed, taken away or doubled."""
    rng = random.Random(seed)
    data = bytearray(text.encode())
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        action = rng.random()
        if action < 0.4:
            data[at] = rng.randrange(256)
        elif action < 0.7:
            del data[at : at + rng.randint(1, 30)]
        else:
            data[at:at] = data[at : at + rng.randint(1, 80)]
    return bytes(data)


def read(text: bytes) -> list[Overlay]:
    """What is in the text. Whatever is wrong has a position, and it is found in time."""
    began = time.process_time()
    loaded = load(text, "F")
    spent = time.process_time() - began
    assert spent < SECONDS, f"it took {spent:.2f} s"
    for error in loaded.errors:
        assert str(error).startswith("F:"), str(error)
        line, column = str(error).split(":")[1:3]
        assert int(line) >= 1
        assert int(column.split()[0]) >= 1
    assert loaded.errors or loaded.objects
    resources = [located.resource for located in loaded.objects]
    return [resource for resource in resources if isinstance(resource, Overlay)]


def test_the_document_itself_is_good() -> None:
    assert len(read(yaml.safe_dump(mutated(-1)).encode())) <= 1
    document = mutated(0) | {"spec": json.loads(json.dumps(_SPEC))}
    assert read(yaml.safe_dump(document).encode())[0].spec.version == "1.0"


def test_changed_documents_are_accepted_or_refused_with_a_position() -> None:
    accepted = sum(
        bool(read(yaml.safe_dump(mutated(seed), allow_unicode=True).encode())) for seed in range(DOCUMENTS)
    )
    assert DOCUMENTS // 20 < accepted < DOCUMENTS


def test_torn_files_are_accepted_or_refused_with_a_position() -> None:
    text = yaml.safe_dump(mutated(0) | {"spec": json.loads(json.dumps(_SPEC))}, sort_keys=False)
    for seed in range(DOCUMENTS):
        loaded = load(torn(text, seed), "F")
        assert loaded.errors or loaded.objects
        assert all(str(error).startswith("F:") for error in loaded.errors)


@pytest.mark.parametrize("file", sorted(ROOT.glob("examples/*/*.yaml")), ids=lambda file: file.parent.name)
def test_torn_examples_too(file: Path) -> None:
    for seed in range(10):
        load(torn(file.read_text(encoding="utf-8"), seed), "F")
