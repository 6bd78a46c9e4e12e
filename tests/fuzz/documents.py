"""Overlays and timelines by their seed: made up from the schemas, or good ones with something changed.

A seed always gives the same text for one state of the schemas and examples.
"""

from __future__ import annotations

import json
import random
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILES = ("picture.png", "moving.gif", "sound.wav", "clip.mp4")
"""Files that exist beside the documents."""
PLAIN = -2
"""The seed of the large document that is nothing but rectangles."""

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
        "keyframes": [{"at": "0f", "value": 0.5}, {"at": "00:00:02:00", "value": 2}],
    },
]
_TURN = {
    "property": "rotation",
    "repeat": "loop",
    "keyframes": [{"at": "0s", "value": 5}, {"at": "9s", "value": 360}],
}
_OVERLAY: dict[str, Any] = {
    "version": "1.0",
    "canvas": {"width": 640, "height": 360, "area": "actionSafe"},
    "layers": [
        {"name": "a", "rectangle": {"width": 60, "height": 40, "color": "#FF0000", "radius": 9},
         "tracks": [_TRACKS[0], _TRACKS[1], _TRACKS[2]], "exit": {"duration": "12f", "slide": "left"},
         "position": {"area": "titleSafe", "anchor": "bottomRight"}},
        {"name": "b", "text": {"value": "Harbour {{ name }}", "size": 40, "width": 200, "align": "center",
         "outline": {"width": 2}, "shadow": {"right": 3, "blur": 5}, "background": "#00000080"},
         "tracks": [_TRACKS[3], _TRACKS[4] | {"sync": "sermon"}], "rotation": 10, "crop": {"left": 0.1}},
        {"name": "c", "image": {"file": FILES[1], "play": "loop"}, "scale": 1.5},
        {"name": "i", "image": {"file": "gone.png", "sha256": "0" * 64, "fallback": {"text": "?"}}},
        {"name": "d", "clock": {"timeZone": "Europe/Oslo", "format": "%A %-d. %B %H:%M %Z", "locale": "nb"}},
        {"name": "l", "clock": {"timecode": "timeOfDay", "timeZone": "Asia/Kathmandu"}, "rotation": 3},
        {"name": "m", "clock": {"timecode": "timeline"}, "position": {"area": "actionSafe"}},
        {"name": "e", "countdown": {"duration": "5m", "format": "%H:%M:%S", "done": "Live"}},
        {"name": "f", "ticker": {"value": "news\n{{ news }}", "width": 600, "speed": 100.5},
         "fallback": {"text": {"value": "none, {{ name }}", "size": 20}}},
        {"name": "g", "qr": {"value": "https://vistter.io/{{ wind }}", "size": 100}, "scale": 0.9,
         "fallback": {"image": {"file": FILES[0]}}},
        {"name": "h", "frameCode": {"square": 8}, "position": {"anchor": "bottom", "y": -10}},
        {"name": "j", "group": {"width": 300, "height": 200, "layers": [
            {"name": "a", "rectangle": {"width": 300, "height": 200, "color": "#00FF0080"}},
            {"name": "b", "group": {"layers": [{"name": "c", "image": {"file": FILES[0]}}]}, "opacity": 0.5},
         ]}, "mask": {"rectangle": {"left": 9, "top": 9, "width": 99, "height": 66, "radius": 20}},
         "tracks": [_TRACKS[0]], "rotation": -5},
        {"name": "k", "text": {"value": "{{ tide }}"},
         "mask": {"image": {"file": FILES[0]}, "invert": True}, "fallback": {"text": {"value": "?"}}},
    ],
    "data": [
        {"name": "tide", "url": "http://127.0.0.1:1/tide.json", "path": "/tide/0", "interval": "30s",
         "default": "low"},
        {"name": "wind", "url": "http://127.0.0.1:9/a.json", "path": "/wind/0", "decimals": 1,
         "default": "7.5", "interval": "1s", "maxAge": "1h"},
        {"name": "news", "url": "http://127.0.0.1:9/a.json", "path": "/news", "each": "/title"},
    ],
}  # fmt: skip
_TIMELINE: dict[str, Any] = {
    "loop": True,
    "anchor": {"start": "2026-05-17T09:30:00+02:00"},
    "cuePoints": [{"name": "sermon", "at": "00:00:04:12"}, {"name": "end", "at": "300f"}],
    "tracks": [
        {"name": "v", "video": [
            {"camera": "wharf", "duration": "2s",
             "transition": {"type": "crossfade", "duration": "1s", "sound": "equalPower"},
             "audio": {"gain": "-6dB"}, "preset": "bridge"},
            {"file": {"path": FILES[3], "in": "200ms", "atEnd": "loop"}, "duration": "2s",
             "transition": {"type": "slide", "duration": "10f"}},
            {"camera": "pier", "duration": "60f",
             "transition": {"type": "wipe", "duration": "12f", "direction": "up", "softness": 0.3}},
            {"image": {"file": FILES[0], "fit": "fit", "color": "#102030"}, "duration": "1500ms",
             "transition": {"type": "push", "easing": "cubic-bezier(0.3, 0, 0.7, 1)", "duration": "0.5s"}},
            {"slate": {}, "at": "8s", "duration": "00:00:01:00"},
            {"timeline": "news", "duration": "5s",
             "transition": {"type": "fadeThroughBlack", "color": "#800000"}},
            {"camera": "gone", "duration": "1s", "transition": {"type": "slide"}},
        ]},
        {"name": "low", "overlays": [
            {"overlay": "tag", "at": "1s", "duration": "3s", "values": {"title": "Low tide"}, "layer": 3,
             "enter": {"duration": "10f", "slide": "left"}, "exit": {"duration": "00:00:00:12"}},
            {"overlay": "tag", "at": "120f",
             "values": {"title": "{{ title }}", "name": "\u05e9\u05dc\u05d5\u05dd"}},
        ]},
        {"name": "top", "overlays": [{"overlay": "gone", "at": "00:00:02:00", "duration": "1s"},
                                     {"overlay": "tag", "cue": "sermon", "at": "100ms", "until": "end"}]},
        {"name": "bed", "audio": [
            {"file": FILES[2], "at": "1s", "duration": "5s", "loop": True, "gain": "-3dB", "fadeIn": "1s",
             "curve": [{"at": "0f", "gain": "-60dB"}, {"at": "60f", "gain": "+3dB", "easing": "easeIn"}],
             "duck": {"threshold": "-40dB", "amount": "-12dB"}},
            {"file": "gone.wav", "duration": "100f", "mute": True},
        ]},
    ],
}  # fmt: skip
_VALUES: list[Any] = [
    None, True, 0, -1, 1, 0.5, 1e308, -1e-308, 10**18, 7680, 4096, "", "x", "0s", "1h", "-1s", "#FFFFFF",
    "\u202e\u05d0", "W" * 5000, "cubic-bezier(2,0,0,1)", "cubic-bezier(0,99,1,-99)", "hold", [], {}, [[]],
    {"at": "1s"}, "center", "loop", "opacity", "1.0", "2.0", "{{ a }}", "%S", "text",
    "\U0001f469\u200d\U0001f680", "99999h", "1f", "00:01:00;00", "00:00:00:59", "crossfade", "9999999999999f",
]  # fmt: skip
_STRINGS = [
    "a", "wharf", "pier", "tag", "news", "title", "0s", "1s", "40ms", "2h30m", "500f", "1f", "00:00:01:05",
    "00:10:00;00", "#FF8000", "#12345678", "linear", "hold", "easeInOutBack", "cubic-bezier(0.3,-1,0.7,2)",
    "Inter", "Europe/Oslo", "UTC", "%H:%M:%S", "%d.%m.%Y", "%-d %b %p", "00:00:00;12",
    "2026-03-29T02:30:00+01:00", "02:30", "1.0",
    *FILES, "gone.png", "{{ title }} {{ name }}", "\u0645\u0631\u062d\u0628\u0627 12", "one\ntwo", "30", "25",
    "0" * 64, "https://vistter.example/x", "-6dB", "/a/0/b", "frame-%04d.png", "6M",
]  # fmt: skip


_BY_NAME = {
    "start": ["2026-03-29T02:30:00+01:00", "2026-05-17T09:30:00Z"],
    "to": ["2026-03-29T02:30:00+01:00", "2027-01-01T00:00:00Z"],
    "time": ["02:30", "09:30:15"],
    "timeZone": ["UTC", "Europe/Oslo", "Pacific/Apia"],
    "duration": ["1s", "40ms", "2h30m", "500f", "1f"],
    "camera": ["wharf", "pier"],
    "timeline": ["news"],
    "overlay": ["tag"],
    "cue": ["sermon", "end"],
    "until": ["sermon", "end"],
    "sync": ["sermon", "end"],
}
"""What a schema cannot say of strings, by the name of the field."""


def document(seed: int) -> bytes:
    """The text of document number `seed`."""
    rng = random.Random(seed)
    way = rng.random()
    if way < 0.15:
        return _torn(rng.choice(_texts()), rng)
    kind = rng.choice(["Overlay", "Timeline"])
    spec = _made_up(_schema(kind), rng, 0) if way < 0.4 else _mutated(rng.choice(_bases(kind)), rng)
    return text(kind, spec)


def text(kind: str, spec: Any, name: str = "fuzz") -> bytes:
    """A manifest."""
    form = {
        "apiVersion": "stream.vistter.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }
    return yaml.safe_dump(form, allow_unicode=True, sort_keys=False).encode()


def whole(kind: str) -> Any:
    """The good document that has something of everything."""
    return json.loads(json.dumps(_OVERLAY if kind == "Overlay" else _TIMELINE))


def large(seed: int) -> bytes:
    """The text of an overlay of many or large layers, good but for its demands, by its seed."""
    if seed == PLAIN:
        return _plain()
    rng = random.Random(f"large {seed}")
    layers = [_large_layer(rng, f"l{number}", 0) for number in range(rng.choice([1, 1, 2, 3, 6, 12, 64]))]
    return text("Overlay", {"canvas": {"width": 1920, "height": 1080}, "layers": layers})


def _plain() -> bytes:
    """As many rectangles as an overlay may have, each as large as the picture."""
    colors = (f"#FF00{number:02X}08" for number in range(64))
    layers = [
        {"name": f"l{number}", "rectangle": {"width": 1920, "height": 1080, "radius": number, "color": color}}
        for number, color in enumerate(colors)
    ]
    return text("Overlay", {"layers": layers})


def _large_layer(rng: random.Random, name: str, depth: int) -> dict[str, Any]:
    width, height = rng.choice([(1920, 1080), (1920, 1080), (4000, 3000), (1900, 300), (333, 777), (90, 60)])
    size = {"width": width, "height": height}
    words = "Wharf " * rng.choice([1, 20, 600])
    contents: list[dict[str, Any]] = [
        {"rectangle": size | {"color": "#2A6FDB80", "radius": rng.choice([0, 20, 540])}},
        {"image": size | {"file": rng.choice(FILES[:2]), "play": rng.choice(["loop", "still"])}},
        {"text": {"value": words, "size": rng.choice([12, 60, 400]), "width": width}
         | rng.choice([{}, {"background": "#00000080"}, {"shadow": {"blur": 30}, "outline": {"width": 9}}])},
        {"clock": {"format": rng.choice(["%H:%M", "%A %H:%M:%S " * 3]), "size": rng.choice([60, 400])}},
        {"ticker": {"value": words, "size": rng.choice([40, 256]), "width": 1920}},
        {"qr": {"value": words[:300], "size": max(height, 200)}},
    ]  # fmt: skip
    if depth < 2:
        inner = [_large_layer(rng, f"m{number}", depth + 1) for number in range(rng.choice([1, 2, 5]))]
        contents.append({"group": rng.choice([{}, size]) | {"layers": inner}})
    layer = rng.choice(contents) | {"name": name, "opacity": rng.choice([1, 1, 0.5])}
    layer |= {"position": {"anchor": rng.choice(["topLeft", "center"]), "x": rng.choice([0, 0, 7])}}
    if rng.random() < 0.5:
        choices = _TRACKS[:2] if "ticker" in layer else [*_TRACKS[:2], _TRACKS[4], _TURN]
        layer["tracks"] = json.loads(json.dumps(rng.sample(choices, rng.choice([1, 1, 2]))))
    if "ticker" not in layer and rng.random() < 0.1:
        layer["mask"] = {"rectangle": {"left": 9, "top": 9, "width": width // 2, "radius": 50}}
    return layer


@cache
def _bases(kind: str) -> list[Any]:
    """Good specs: ours, as often as all those of the examples together."""
    found = [
        form["spec"]
        for file in sorted(ROOT.glob("examples/*/*.yaml"))
        for form in yaml.safe_load_all(file.read_text(encoding="utf-8"))
        if form and form["kind"] == kind
    ]
    return found + [whole(kind)] * max(len(found), 1)


@cache
def _texts() -> list[bytes]:
    """Files to tear: the good documents, and the examples as people would write them."""
    ours = [text(kind, whole(kind)) for kind in ("Overlay", "Timeline")]
    return [file.read_bytes() for file in sorted(ROOT.glob("examples/*/*.yaml"))] + ours * 4


@cache
def _schema(kind: str) -> dict[str, Any]:
    """What the cluster would check a spec with."""
    file = ROOT / "crds" / f"stream.vistter.io_{kind.lower()}s.yaml"
    form = yaml.safe_load(file.read_text(encoding="utf-8"))
    found: dict[str, Any] = form["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return found


# --- made up --------------------------------------------------------------------------------------------


def _made_up(schema: dict[str, Any], rng: random.Random, depth: int, name: str = "") -> Any:
    """Something that the schema allows; now and then something that it does not."""
    if rng.random() < 0.004:
        return rng.choice(_VALUES)
    if "enum" in schema:
        return rng.choice(schema["enum"])
    match schema.get("type"):
        case "object":
            return _object(schema, rng, depth)
        case "array":
            most = min(schema.get("maxItems", 3), 3)
            count = rng.randint(min(schema.get("minItems", 0), most), most)
            items = [_made_up(schema["items"], rng, depth + 1) for _ in range(count)]
            for number, item in enumerate(items):
                if isinstance(item, dict) and "name" in item and rng.random() < 0.95:
                    item["name"] = f"{item['name']}-{number}"
            return items
        case "integer" | "number":
            return _number(schema, rng)
        case "boolean":
            return rng.random() < 0.5
        case "string":
            if name in _BY_NAME and rng.random() < 0.95:
                return rng.choice(_BY_NAME[name])
            return rng.choice(_fitting(schema.get("pattern", ""), schema.get("maxLength", 4096)))
        case _:
            return rng.choice(_VALUES)


def _object(schema: dict[str, Any], rng: random.Random, depth: int) -> dict[str, Any]:
    properties = schema.get("properties")
    if properties is None:
        inner = schema.get("additionalProperties", {})
        return {rng.choice(["title", "name"]): _made_up(inner, rng, depth + 1)}
    choices = {
        name
        for rule in schema.get("x-kubernetes-validations", ())
        for name in re.findall(r"has\(self\.(\w+)\)", rule["rule"])
    }
    wanted = set(schema.get("required", ())) | ({rng.choice(sorted(choices))} if choices else set())
    often = 0.5 / (depth + 1)
    wanted |= {name for name in sorted(properties) if name not in choices and rng.random() < often}
    if "duration" in properties and rng.random() < 0.9:
        wanted.add("duration")
    return {name: _made_up(properties[name], rng, depth + 1, name) for name in properties if name in wanted}


def _number(schema: dict[str, Any], rng: random.Random) -> float:
    low, high = schema.get("minimum", -1000), schema.get("maximum", 1000)
    value: float = rng.choice([low, high, schema.get("default", low), rng.uniform(low, min(high, low + 500))])
    step = schema.get("multipleOf", 1)
    return int(value // step * step) if schema["type"] == "integer" else round(value, 3)


@cache
def _fitting(pattern: str, longest: int) -> list[str]:
    found = [text for text in _STRINGS if len(text) <= longest and re.search(pattern, text)]
    return found or ["x"]


# --- changed --------------------------------------------------------------------------------------------


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Every container in a document, with each of its keys."""
    found: list[tuple[Any, Any]] = []
    keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        found.append((node, key))
        found.extend(_places(node[key]))
    return found


def _mutated(base: Any, rng: random.Random) -> Any:
    """A copy with a few values changed, taken away, doubled or put elsewhere."""
    spec = json.loads(json.dumps(base))
    for name in ("layers", "tracks"):
        if name in spec and rng.random() < 0.7:
            rng.shuffle(spec[name])
            spec[name] = spec[name][: rng.randint(1, len(spec[name]))]
    for _ in range(rng.choice([0, 1, 1, 1, 2])):
        spots = _places(spec)
        if not spots:
            break
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
    return spec


def _torn(text: bytes, rng: random.Random) -> bytes:
    """The text with a few bytes changed, taken away or doubled."""
    data = bytearray(text)
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
