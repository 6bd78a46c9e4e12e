"""The manifest reference for people, one page of Markdown a kind, made from the models."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vistterstream.resources.kinds import KINDS, KindInfo, Resource
from vistterstream.resources.model import EFFECT_KEY, REFERENCE_KEY, Effect, Model
from vistterstream.resources.quantities import Quantity

_COSTS = {
    Effect.NONE: "nothing",
    Effect.LIVE: "nothing: applied between two frames",
    Effect.INGEST: "the camera's ingest is replaced; backup or fallback meanwhile",
    Effect.ENCODER: "the output moves to another encoder: the target is connected to anew",
    Effect.PUSHER: "the pusher is replaced: the target is connected to anew",
    Effect.TARGET: "the target is connected to anew if it is the active one; else nothing",
    Effect.PLAYOUT: "the program's playout is replaced: off air for a moment",
}

_EXAMPLES = {
    "Camera": """\
apiVersion: stream.vistter.io/v1alpha1
kind: Camera
metadata: {name: wharf}
spec:
  source:
    url: rtsp://10.0.0.21:554/h264Preview_01_main
    transport: tcp
    credentialsSecretRef: {name: wharf-login}
  stallAfter: 2s
  backup: pier
""",
    "Overlay": """\
apiVersion: stream.vistter.io/v1alpha1
kind: Overlay
metadata: {name: name-tag}
spec:
  canvas: {width: 1920, height: 1080}
  layers:
    - {name: logo, image: {file: logo.png}, position: {anchor: topRight, x: -40, y: 40}}
    - name: title
      text: {value: "{{ title }}", size: 54, color: "#F4F6FB", background: "#121521CC"}
      position: {anchor: bottomLeft, x: 60, y: -80}
""",
    "Timeline": """\
apiVersion: stream.vistter.io/v1alpha1
kind: Timeline
metadata: {name: harbour}
spec:
  loop: true
  tracks:
    - name: pictures
      video:
        - {camera: wharf, duration: 60s}
        - {camera: pier, duration: 30s, transition: {type: crossfade, duration: 1s}}
    - name: graphics
      overlays:
        - {overlay: name-tag, at: 5s, duration: 10s, values: {title: The old wharf}}
""",
    "Program": """\
apiVersion: stream.vistter.io/v1alpha1
kind: Program
metadata: {name: main}
spec:
  format: {width: 1280, height: 720, frameRate: "30"}
  timeline: harbour
  fallback: {image: slate.png, text: We will be right back}
""",
    "Output": """\
apiVersion: stream.vistter.io/v1alpha1
kind: Output
metadata: {name: youtube}
spec:
  program: main
  encoding:
    video: {codec: h264, bitrate: 4500k, keyframeInterval: 2s, preset: veryfast}
    audio: {codec: aac, bitrate: 128k}
  targets:
    - name: primary
      url: rtmps://a.rtmps.youtube.com/live2
      streamKeySecretRef: {name: youtube, key: streamKey}
    - name: backup
      url: rtmps://b.rtmps.youtube.com/live2
      streamKeySecretRef: {name: youtube, key: streamKey}
""",
    "Secret": """\
apiVersion: v1
kind: Secret
metadata: {name: youtube}
stringData:
  streamKey: paste-the-stream-key-here
""",
}
_WORDS: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    NoneType: "nothing",
}
_QUANTITIES = {
    "BitRate": "bit rate",
    "FrameRate": "frame rate",
    "Color": "colour",
    "TimelinePosition": "time",
    "EasingFunction": "easing",
}
_COMMON = {"api_version", "kind", "metadata", "status"}
_INDEX = """\
<!-- Generated from the models by `make generate`. Do not edit. -->
# Manifest reference

Every field of every kind. Durations are written `250ms`, `10s`, `1m30s`, bit rates `128k`, `6M`, frame rates
`"30"`, `"30000/1001"`, colours `"#RRGGBB"` or `"#RRGGBBAA"`. Times on a
timeline are durations, frames (`120f`) or timecode (`00:01:23:12`, drop-frame `00:01:23;12`). Unknown fields
are errors.

| kind | short | what it is |
|---|---|---|
{kinds}

The column **a change costs** says what is noticed on air when the field is changed while it runs.

Editors that use yaml-language-server check and complete a manifest that starts with this line (the path leads
to `crds/schema.json` of this repository):

```yaml
# yaml-language-server: $schema=../crds/schema.json
```

YAML is read as kubectl reads it: `yes`, `on` and `12:30:00` are text. Anchors, aliases and a field given
twice are refused. `vistter validate PATH…` says what is wrong with manifests, and where.

`metadata` is that of Kubernetes: `name` (lower-case letters, digits and `-`, at most 63), `namespace`
(`default` without), `labels`, `annotations`.
"""


def reference_files() -> dict[str, str]:
    """The pages, by name of file."""
    pages = {f"{info.singular}.md": _page(info) for info in KINDS.values()}
    kinds = "\n".join(
        f"| [{info.kind}]({info.singular}.md) | {', '.join(f'`{name}`' for name in info.short_names) or '–'} "
        f"| {_first_sentence(info.model)} |"
        for info in KINDS.values()
    )
    return {"README.md": _INDEX.replace("{kinds}", kinds), **pages}


def _page(info: KindInfo) -> str:
    parts = [
        "<!-- Generated from the models by `make generate`. Do not edit. -->",
        f"# {info.kind}\n\n{_first_sentence(info.model)}",
        f"```yaml\n{_EXAMPLES[info.kind]}```",
    ]
    spec = info.model.model_fields["spec"].annotation
    if _model(spec):
        parts += _sections("spec", spec, Effect.LIVE, costs=True)
    else:
        own = {
            name: field for name, field in info.model.model_fields.items() if name not in {*_COMMON, "spec"}
        }
        parts.append(f"## Fields\n\n{_table(own, Effect.LIVE, costs=False)}")
    parts += _sections("status", info.model.model_fields["status"].annotation, Effect.NONE, costs=False)
    return "\n\n".join(parts) + "\n"


def _sections(path: str, model: Any, effect: Effect, *, costs: bool, outer: Any = None) -> Iterator[str]:
    """A section for the model at `path`, and for each model in it."""
    about = " ".join((model.__doc__ or "").split())
    yield f"## {path}\n\n{about}\n\n{_table(model.model_fields, effect, costs=costs)}"
    for name, field in model.model_fields.items():
        inner, in_list = _inner_model(field.annotation)
        if inner is not None and inner is outer:
            yield f"## {path}.{field.alias or name}[]\n\nAs `{path.rpartition('.')[0]}`."
        elif inner is not None:
            inner_path = f"{path}.{field.alias or name}{'[]' if in_list else ''}"
            yield from _sections(inner_path, inner, _effect(field) or effect, costs=costs, outer=model)


def _table(fields: dict[str, FieldInfo], effect: Effect, *, costs: bool) -> str:
    heads = ["field", "type", "default", *(["a change costs"] if costs else []), "what it is"]
    rows = [heads, ["---"] * len(heads)]
    for name, field in fields.items():
        cost = [_COSTS[_effect(field) or effect]] if costs else []
        cells = [f"`{field.alias or name}`", _type(field), _default(field), *cost, field.description or ""]
        rows.append([cell.replace("|", "\\|").replace("\n", " ") for cell in cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _type(field: FieldInfo) -> str:
    target = _extra(field).get(REFERENCE_KEY)
    words = f"name of a [{target}]({target.lower()}.md)" if target else _type_words(field.annotation)
    bounds = {type(item).__name__: item for item in field.metadata}
    least, most = getattr(bounds.get("Ge"), "ge", None), getattr(bounds.get("Le"), "le", None)
    if least is not None and most is not None:
        words += f", {least} to {most}"
    return words


def _type_words(annotation: Any) -> str:
    annotation, _ = _unwrapped(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return f"list of {_type_words(arguments[0])}"
    if origin is dict:
        return "names to text"
    if origin is Literal:
        return f"`{arguments[0]}`"
    if issubclass(annotation, BaseModel):
        return "fields"
    if issubclass(annotation, Quantity):
        name: str = annotation.__name__
        return _QUANTITIES.get(name, name.lower())
    if issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    return _WORDS[annotation]


def _default(field: FieldInfo) -> str:
    default: object = field.default
    if field.is_required():
        return "**required**"
    if default is None or default in ((), {}, ""):
        return "–"
    if isinstance(default, BaseModel):
        return "as below"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default.value if isinstance(default, Enum) else default}`"


def _unwrapped(annotation: Any) -> tuple[Any, bool]:
    """An annotation without ``Annotated`` and ``| None``, and whether it had the latter."""
    if get_origin(annotation) is Annotated:
        return _unwrapped(get_args(annotation)[0])
    options = [option for option in get_args(annotation) if option is not NoneType]
    if NoneType in get_args(annotation) and len(options) == 1:
        return _unwrapped(options[0])[0], True
    return annotation, False


def _inner_model(annotation: Any) -> tuple[type[Model] | None, bool]:
    """The model that a field holds, and whether it holds a list of them."""
    annotation, _ = _unwrapped(annotation)
    if get_origin(annotation) is tuple:
        return _model(get_args(annotation)[0]), True
    return _model(annotation), False


def _model(annotation: Any) -> type[Model] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, Model) else None


def _effect(field: FieldInfo) -> Effect | None:
    word = _extra(field).get(EFFECT_KEY)
    return Effect(word) if word else None


def _extra(field: FieldInfo) -> dict[str, Any]:
    return dict(field.json_schema_extra) if isinstance(field.json_schema_extra, dict) else {}


def _first_sentence(model: type[Resource]) -> str:
    return (model.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")
