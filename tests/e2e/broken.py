# ruff: noqa: E501  # a table
"""Manifests that are wrong, each in one way, where the error stands and what must be said about it."""

from __future__ import annotations

from dataclasses import dataclass

_HEAD = "apiVersion: stream.vistter.io/v1alpha1\nkind: {}\nmetadata: {{name: bad}}\nspec:\n"


@dataclass(frozen=True)
class Broken:
    """A wrong manifest: its text, the line of the error, and what its path and sentence must hold (a pattern, any case)."""

    name: str
    text: str
    line: int
    says: str


def _spec(name: str, kind: str, spec: str, line: int, says: str) -> Broken:
    """One of `kind` whose spec is `spec`; `line` counts from the first line of the spec."""
    body = "".join(f"  {row}\n" for row in spec.strip("\n").split("\n"))
    return Broken(name, _HEAD.format(kind) + body, line + 4, says)


_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{later}: &{later} [{','.join([f'*{earlier}'] * 9)}]\n"
    for earlier, later in zip("abcdefgh", "bcdefghi", strict=True)
)
_OUTPUT = "program: main\ntargets:\n- {}"

BROKEN: tuple[Broken, ...] = (
    # syntax and dialect
    Broken(
        "unclosed", "apiVersion: stream.vistter.io/v1alpha1\nkind: Camera\nspec: {a: [1, 2\n", 3, "not closed"
    ),
    Broken("tab", "kind: Camera\n\tspec: 1\n", 2, "tab"),
    Broken("indent", "kind: Camera\n  name: x\n", 2, "colon"),
    Broken("alias", "kind: &k Camera\nother: *k\n", 1, "alias|anchor"),
    Broken("bomb", _BOMB, 1, "alias|anchor"),
    Broken(
        "duplicate-key",
        _HEAD.format("Camera") + "  source: {file: {path: a.mp4}}\n  source: {file: {path: b.mp4}}\n",
        6,
        "twice|duplicate",
    ),
    Broken("tag", "kind: !!python/object/apply:os.system [id]\n", 1, "tag"),
    Broken("deep", "[" * 80 + "]" * 80 + "\n", 1, "deep|levels|nest"),
    Broken("huge", "# " + "x" * (1 << 20) + "\n" + _HEAD.format("Camera"), 1, "1 MiB|large|long|big"),
    Broken("list", "- 1\n- 2\n", 1, "mapping|object"),
    Broken("scalar", "just words\n", 1, "mapping|object"),
    Broken("control", "kind: Cam\x00era\n", 1, "character"),
    # the envelope
    Broken(
        "no-kind",
        "apiVersion: stream.vistter.io/v1alpha1\nmetadata: {name: bad}\n",
        1,
        "kind must|kind: must|given: Camera",
    ),
    Broken(
        "unknown-kind",
        "apiVersion: stream.vistter.io/v1alpha1\nkind: Camara\nmetadata: {name: bad}\nspec: {}\n",
        2,
        "Camara",
    ),
    Broken(
        "version",
        "apiVersion: stream.vistter.io/v9\nkind: Camera\nmetadata: {name: bad}\nspec: {}\n",
        1,
        "v1alpha1",
    ),
    Broken(
        "no-name",
        "apiVersion: stream.vistter.io/v1alpha1\nkind: Camera\nmetadata: {}\nspec: {source: {file: {path: a.mp4}}}\n",
        3,
        "name.*given",
    ),
    Broken(
        "name",
        "apiVersion: stream.vistter.io/v1alpha1\nkind: Camera\nmetadata: {name: The Wharf!}\nspec: {source: {file: {path: a.mp4}}}\n",
        3,
        "The Wharf!",
    ),
    Broken(
        "no-spec",
        "apiVersion: stream.vistter.io/v1alpha1\nkind: Camera\nmetadata: {name: bad}\n",
        1,
        "spec.*given",
    ),
    # fields and types
    _spec("unknown-field", "Camera", "source: {file: {path: a.mp4}}\nstallafter: 2s", 2, "stallAfter"),
    _spec("no-source", "Camera", "stallAfter: 2s", 0, "source.*given"),
    _spec(
        "two-sources",
        "Camera",
        "source:\n  url: rtsp://10.0.0.1/a\n  testPattern: {pattern: bars}",
        3,
        "exactly one",
    ),
    _spec("duration", "Camera", "source: {testPattern: {}}\nstallAfter: 2 seconds", 2, "2 seconds"),
    _spec("duration-number", "Camera", "source: {testPattern: {}}\nstallAfter: 2", 2, "string|duration"),
    _spec("pattern", "Camera", "source:\n  testPattern:\n    pattern: stripes", 3, "bars"),
    _spec("range", "Camera", "source: {testPattern: {number: 300}}", 1, "255"),
    _spec("odd-size", "Program", "format: {width: 641, height: 360}", 1, "even|multiple"),
    _spec("rate", "Program", "format:\n  frameRate: 30", 2, "string|frame rate"),
    _spec("rate-zero", "Program", 'format:\n  frameRate: "30/0"', 2, "frame rate"),
    _spec("rate-zero-twice", "Program", 'format:\n  frameRate: "0/00"', 2, "frame rate"),
    _spec("rate-zero-thrice", "Program", 'format:\n  frameRate: "1/000"', 2, "frame rate"),
    _spec("colour", "Program", "fallback: {color: red}", 1, "#F4F6FB"),
    _spec(
        "bitrate",
        "Output",
        "program: main\nencoding: {video: {bitrate: 4500 kbit}}\ntargets: [{name: a, hls: {}}]",
        2,
        "4500 kbit",
    ),
    _spec("no-targets", "Output", "program: main\ntargets: []", 2, "at least 1|one|empty"),
    _spec(
        "keyframes",
        "Overlay",
        "layers:\n- name: a\n  rectangle: {width: 10, height: 10, color: '#000000'}\n  tracks:\n  - property: opacity\n    keyframes: [{at: 1s, value: 0}, {at: 0s, value: 1}]",
        6,
        "not later",
    ),
    _spec("layer-kinds", "Overlay", "layers:\n- name: a\n  text: {value: x}\n  clock: {}", 4, "exactly one"),
    _spec(
        "layer-names",
        "Overlay",
        "layers:\n- {name: a, text: {value: x}}\n- {name: a, text: {value: y}}",
        3,
        "must differ",
    ),
    _spec(
        "zone",
        "Timeline",
        "anchor: {start: 2026-05-17T09:30:00}\ntracks: [{name: a, video: [{camera: c, duration: 1s}]}]",
        1,
        "zone",
    ),
    _spec(
        "two-videos",
        "Timeline",
        "tracks:\n- {name: a, video: [{camera: c, duration: 1s}]}\n- {name: b, video: [{camera: c, duration: 1s}]}",
        3,
        "one track of video",
    ),
    # addresses
    _spec("file-scheme", "Camera", "source:\n  url: file:///etc/passwd", 2, "file"),
    _spec(
        "concat-scheme",
        "Camera",
        "source:\n  url: concat:/etc/passwd|/etc/shadow",
        2,
        "concat|scheme|address",
    ),
    _spec("pipe-scheme", "Camera", "source:\n  url: pipe:0", 2, "pipe|scheme|address"),
    _spec("no-host", "Camera", "source:\n  url: rtsp:///live", 2, "host"),
    _spec("login-in-address", "Camera", "source:\n  url: rtsp://joe:secret@10.0.0.1/live", 2, "Secret"),
    _spec("bad-port", "Camera", "source:\n  url: rtsp://10.0.0.1:99999/live", 2, "port"),
    _spec("space", "Camera", "source:\n  url: rtsp://10.0.0.1/a b", 2, "space|character"),
    _spec("file-output", "Output", _OUTPUT.format("{name: a, url: 'file:///tmp/x.flv'}"), 3, "file"),
    _spec("tee-output", "Output", _OUTPUT.format("{name: a, url: 'tee:a|b'}"), 3, "tee|scheme|address"),
    _spec("http-output", "Output", _OUTPUT.format("{name: a, url: 'http://10.0.0.1/x'}"), 3, "rtmp"),
)

# Each of these names something that does not exist. They are looked at apart from those above: while a file
# cannot be read, what others refer to may be in it.
DANGLING: tuple[Broken, ...] = (
    _spec("dangling-camera", "Timeline", "tracks:\n- name: a\n  video:\n  - {camera: nobody, duration: 1s}", 4, "nobody"),
    _spec("dangling-program", "Output", "program: nothing\ntargets: [{name: a, hls: {}}]", 1, "nothing"),
    _spec("dangling-secret", "Camera", "source:\n  url: rtsp://10.0.0.1/a\n  credentialsSecretRef: {name: lost}", 3, "lost"),
)  # fmt: skip
