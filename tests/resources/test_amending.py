"""A file that is read again after an edit of one item says what it would if it were read as a whole."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vistterstream.resources import dialect
from vistterstream.resources.amending import Known, amended, known
from vistterstream.resources.manifests import load

HEAD = """\
# the day
apiVersion: stream.vistter.io/v1alpha1
kind: Timeline
metadata: {name: day}
spec:
  tracks:
"""
OTHER = """\
---
apiVersion: stream.vistter.io/v1alpha1
kind: Camera
metadata: {name: wharf}
spec: {source: {testPattern: {}}}
"""
CUES = [
    "- camera: wharf\n  duration: 5s\n",
    "- {camera: pier, duration: 120f}\n",
    "-   camera: wharf  # the boats\n    duration: 5s\n",
    '- camera: wharf\n  duration: "5s"\n  transition:\n    type: wipe\n    duration: 500ms\n',
    "- slate: {}\n\n  duration: 1m\n# a comment\n",
    "- camera: wharf\n  duration: 5s\n  transition: {type: crossfade,\n    easing: linear}\n",
    "- file:\n    path: >-\n      boats\n      of the day.mp4\n  duration: 5s\n",
    "- camera:\n    wharf\n  duration: '5s'\n",
    "- image:\n    file: >-\n      a.png\n  duration: 5s\n",
    "- camera: null\n  slate: {}\n  duration: 3s\n",
]
OVERLAYS = [
    "- overlay: tag\n  at: 1s\n  duration: 5s\n  values: {title: Boat}\n",
    '- overlay: tag\n  duration: 5s\n  values:\n    title: "a \\\n      b"\n',
    "- overlay: tag\n  duration: 5s\n  values:\n    title: |\n      one\n\n      two\n\n",
    "- overlay: tag\n  duration: 5s\n  values:\n    title: |+\n      one\n\n",
    "- overlay: tag\n  duration: 5s\n  values: {title: ä€😀}\n",
]
SNIPPETS = [
    "\n", " ", "  ", "-", "- ", ":", ": ", "#", " #", '"', "'", "{", "}", "[", "]", ",", "|", ">", "|+",
    "&a ", "*a", "!!str ", "%", "---\n", "...\n", "\n---\n", "\n...\n", "\t", "\r\n", "\r", "\x07", "~",
    "null", "5s", "7s", "wharf", "\n  transition: {type: cut}", "\n      duration: 6s", "camera: x",
    "ä", "\u2028", "<<: ", "?", "? ", "- - ", "0",
]  # fmt: skip


def indented(text: str, by: int) -> str:
    return re.sub(r"(?m)^(?=.)", " " * by, text)


def manifest(cues: list[str], overlays: list[str], indent: int, before: bool, after: bool) -> str:
    """Two tracks; `indent` is that of the items below the name of the list they are in."""
    tracks = [
        indented(f"- name: {name}\n  {name}:\n" + indented("".join(items), 2 + indent), 2)
        for name, items in (("video", cues), ("overlays", overlays))
    ]
    return (
        (OTHER.removeprefix("---\n") + "---\n" if before else "")
        + HEAD
        + "".join(tracks)
        + (OTHER.replace("wharf", "pier") if after else "")
    )


@st.composite
def files(draw: st.DrawFn) -> str:
    chance = random.Random(draw(st.integers(0, 2**32)))
    cues = [chance.choice(CUES) for _ in range(chance.randint(20, 30))]
    overlays = [chance.choice(OVERLAYS) for _ in range(chance.randint(20, 30))]
    return manifest(cues, overlays, draw(st.sampled_from([0, 2])), draw(st.booleans()), draw(st.booleans()))


def edited(text: str, chance: random.Random) -> str:
    """The text after an edit: something put in, taken out or replaced, or a line moved in or out."""
    at = chance.randrange(len(text))
    match chance.randrange(6):
        case 0:
            return text[:at] + chance.choice(SNIPPETS) + text[at:]
        case 1:
            return text[:at] + text[at + chance.choice([1, 1, 2, 5, 20, 80]) :]
        case 2:
            return text[:at] + chance.choice(SNIPPETS) + text[at + chance.choice([1, 2, 4]) :]
        case 3:
            line = text.rfind("\n", 0, at) + 1
            return text[:line] + " " * chance.randint(1, 4) + text[line:]
        case 4:
            line = text.rfind("\n", 0, at) + 1
            return text[:line] + text[line:].replace(" ", "", chance.randint(1, 4))
        case _:
            line = text.rfind("\n", 0, at) + 1
            more = chance.choice(["transition: {type: cut}\n", "at: 1h\n", "# x\n", "\n", 'layer: "\n"\n'])
            return text[:line] + " " * chance.choice([0, 2, 4, 6, 8]) + more + text[line:]


def read(text: str) -> Known | None:
    return known(text.encode(), load(text.encode(), "day.yaml"))


def check(before: Known, text: str) -> Known | None:
    """What was amended, if it could be, and says what reading all of it says."""
    now = amended(before, text.encode())
    if now is None:
        return None
    whole = load(text.encode(), "day.yaml")
    assert whole.errors == ()
    again = known(text.encode(), whole)
    assert again is not None
    assert now.objects == again.objects
    for (one, _), (other, _) in zip(now.objects, again.objects, strict=True):
        assert one.model_dump(exclude_unset=True) == other.model_dump(exclude_unset=True)
    assert now.text == again.text
    assert now.lists == again.lists
    assert now.values >= again.values
    return now


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(files(), st.integers(0, 2**32))
def test_after_any_edit_a_file_says_what_it_says_when_it_is_read_as_a_whole(text: str, seed: int) -> None:
    chance = random.Random(seed)
    before = read(text)
    if before is None:  # fewer than so many items, or a mistake
        return
    for _ in range(20):
        now = check(before, edited(before.text, chance))
        before = now if now is not None and chance.random() < 0.5 else before


def day(cues: int = 30) -> str:
    return manifest([CUES[0]] * cues, [OVERLAYS[0]] * 30, 2, before=True, after=True)


def sixth_replaced(text: str, old: str, new: str) -> str:
    """`text` with `new` in the sixth place where `old` is."""
    *before, after = text.split(old, 6)
    return old.join(before) + new + after


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("camera: wharf\n        duration: 5s", "camera: pier\n        duration: 5s"),
        ("duration: 5s\n", "duration: 5s\n        transition: {type: wipe}\n"),
        ("duration: 5s\n", "# for long\n        duration: 50s\n"),
        ("title: Boat", "title: Boat No 7"),
    ],
)
def test_an_edit_of_one_cue_reads_that_cue_alone(old: str, new: str) -> None:
    text = day()
    before = read(text)
    assert before is not None
    now = check(before, sixth_replaced(text, old, new))
    assert now is not None
    assert check(now, text) is not None
    tracks = [zip(was.spec.tracks, will.spec.tracks, strict=True) for (was, _), (will, _) in
              zip(before.objects, now.objects, strict=True) if was.kind == "Timeline"]  # fmt: skip
    same = [
        one is other
        for was, will in tracks[0]
        for one, other in zip(was.video or was.overlays, will.video or will.overlays, strict=True)
    ]
    assert same.count(False) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("wharf", "Wharf!"),  # not a name
        ("duration: 5s", "duration: 5s\n        at: 1s"),  # before the end of the cue above
        ("duration: 5s", "duration: 0s"),
        ("duration: 5s", "length: 5s"),
        ("duration: 5s", "duration: 5s\n      - camera: wharf\n        duration: 5s"),  # two items
        ("duration: 5s", 'duration: "5s'),
        ("duration: 5s", "duration: 5s\n---"),
        ("duration: 5s", "duration: 5s\n..."),
        ("duration: 5s", "duration: 5s\n      video: []"),
    ],
)
def test_what_is_wrong_or_more_than_one_cue_is_left_to_whoever_reads_all(old: str, new: str) -> None:
    text = day()
    before = read(text)
    assert before is not None
    assert amended(before, sixth_replaced(text, old, new).encode()) is None


def test_nothing_is_kept_of_what_is_short_broken_or_secret() -> None:
    assert read(day(5)) is not None, "the overlays are many"
    assert read(manifest(CUES[:2], OVERLAYS[:2], 2, before=False, after=False)) is None
    assert read(day().replace("5s", "five")) is None
    secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n"
    assert read(day() + secret) is None


def test_a_file_that_grows_too_large_is_read_as_a_whole() -> None:
    before = read(day())
    assert before is not None
    long = before.text.replace("wharf\n", f"wharf  # {'x' * dialect.MAX_BYTES}\n", 2)
    assert amended(before, long.encode()) is None
    assert amended(before, b"\xff") is None
