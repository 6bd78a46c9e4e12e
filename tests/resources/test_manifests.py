from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vistterstream.resources.kinds import Camera, Key, Program, Secret
from vistterstream.resources.manifests import (
    MAX_ERRORS,
    Loaded,
    ManifestError,
    check_references,
    load,
    load_all,
)

ROOT = Path(__file__).parents[2]
GOOD = sorted([*ROOT.glob("examples/*/*.yaml"), *ROOT.glob("manifests/*.yaml")])
HEAD = "apiVersion: stream.vistter.io/v1alpha1\n"
MAIN = HEAD + "kind: Program\nmetadata: {name: main}\n"


def said(loaded: Loaded) -> list[str]:
    return [str(error) for error in loaded.errors]


def keys(loaded: Loaded) -> list[str]:
    return [str(located.resource.key) for located in loaded.objects]


@pytest.mark.parametrize("folder", sorted({file.parent for file in GOOD}), ids=lambda folder: folder.name)
def test_the_examples_are_right(folder: Path) -> None:
    loaded = load_all({str(file): file.read_bytes() for file in folder.glob("*.yaml")})
    assert loaded.errors == ()
    assert loaded.objects
    assert check_references(loaded.objects) == ()


def test_objects_know_their_file_and_line() -> None:
    loaded = load(f"# a comment\n{MAIN}---\n\n{MAIN.replace('main', 'second')}".encode(), "a/b.yaml")
    assert [(item.file, item.line, str(item.resource.key)) for item in loaded.objects] == [
        ("a/b.yaml", 2, "Program default/main"),
        ("a/b.yaml", 7, "Program default/second"),
    ]
    assert isinstance(loaded.objects[0].resource, Program)


def test_an_error_is_written_as_editors_read_it() -> None:
    error = ManifestError("a.yaml", 3, 14, "spec.targets[1].url", "is wrong")
    assert str(error) == "a.yaml:3:14 spec.targets[1].url: is wrong"
    assert str(ManifestError("a.yaml", 3, 14, "", "is wrong")) == "a.yaml:3:14: is wrong"


def test_good_objects_of_a_broken_file_are_given_beside_its_errors() -> None:
    loaded = load(f"{MAIN}---\nkind: [\n---\n{MAIN.replace('main', 'b')}spec: {{x: 1}}\n".encode(), "f")
    assert keys(loaded) == ["Program default/main"]
    assert len(loaded.errors) == 2


def test_a_field_with_nothing_in_it_counts_as_not_given() -> None:
    loaded = load(
        f"{MAIN}spec:\n  format:\n  timeline:\n  fallback: {{text: ~, color: null}}\n".encode(), "f"
    )
    assert said(loaded) == []
    assert loaded.objects[0].resource.spec == Program.model_validate({"metadata": {"name": "x"}}).spec


def test_but_a_field_that_does_not_exist_is_an_error_all_the_same() -> None:
    loaded = load(f"{MAIN}spec:\n  fromat:\n  timeline:\n".encode(), "f")
    assert said(loaded) == ["f:5:3 spec.fromat: there is no such field; did you mean format?"]


def test_what_kubectl_prints_can_be_read_again() -> None:
    text = f"""\
apiVersion: v1
kind: List
metadata: {{resourceVersion: ""}}
items:
- {HEAD.strip()}
  kind: Program
  metadata:
    name: main
    namespace: harbour
    uid: 5c0d
    generation: 3
    resourceVersion: "17"
    creationTimestamp: null
    selfLink: /apis/x
    managedFields: [{{manager: kubectl, fieldsV1: {{"f:spec": {{}}}}}}]
  spec: {{timeline: harbour}}
  status: {{conditions: [], novelty: 1}}
"""
    loaded = load(text.encode(), "f")
    assert said(loaded) == []
    assert keys(loaded) == ["Program harbour/main"]
    assert loaded.objects[0].line == 5
    assert loaded.objects[0].resource.status.conditions == ()


def test_names_of_python_are_not_names_in_yaml() -> None:
    text = HEAD + "kind: Camera\nmetadata: {name: a}\nspec: {source: {test_pattern: {}}}\n"
    assert said(load(text.encode(), "f")) == [
        "f:4:17 spec.source.test_pattern: there is no such field; did you mean testPattern?"
    ]


def test_nothing_is_guessed_from_strings() -> None:
    text = f'{MAIN}spec: {{format: {{width: "1280"}}}}\n'
    assert said(load(text.encode(), "f")) == [
        "f:4:24 spec.format.width: must be a whole number; take the quotes away"
    ]


def test_a_round_number_in_another_writing_is_a_whole_number() -> None:
    loaded = load(f"{MAIN}spec: {{format: {{width: 1e3, height: 0x2D0}}}}\n".encode(), "f")
    assert said(loaded) == []
    assert isinstance(program := loaded.objects[0].resource, Program)
    assert (program.spec.format.width, program.spec.format.height) == (1000, 720)


def test_an_object_in_two_files_is_an_error_in_the_second() -> None:
    other = MAIN.replace("{name: main}", "{name: main, namespace: other}")
    loaded = load_all({"a.yaml": MAIN.encode(), "b.yaml": f"{other}---\n{MAIN}".encode()})
    assert said(loaded) == [
        "b.yaml:7:18 metadata.name: Program default/main is defined twice; first at a.yaml:1"
    ]
    assert keys(loaded) == ["Program default/main", "Program other/main"]


def test_errors_of_several_files_come_in_the_order_of_the_files() -> None:
    broken = f"{MAIN}spec: {{x: 1}}\n".encode()
    loaded = load_all({"z.yaml": broken, "a.yaml": b"a: [", "m.yaml": broken})
    assert [error.file for error in loaded.errors] == ["z.yaml", "a.yaml", "m.yaml"]


def test_many_errors_are_cut_short_and_counted() -> None:
    fields = "".join(f"  x{number}: 1\n" for number in range(250))
    loaded = load(f"{MAIN}spec:\n{fields}".encode(), "f")
    assert len(loaded.errors) == MAX_ERRORS + 1
    assert loaded.errors[-1].message == "and 150 more errors"


def test_secrets_stay_secret() -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: hunter2}\n"
    loaded = load(text.encode(), "f")
    assert isinstance(secret := loaded.objects[0].resource, Secret)
    assert secret.values() == {"password": "hunter2"}
    assert "hunter2" not in repr(loaded)


class TestReferences:
    CAMERA = (
        HEAD + "kind: Camera\nmetadata: {name: wharf}\nspec:\n  source: {testPattern: {}}\n  backup: pier\n"
    )

    def check(self, text: str, *existing: Key) -> list[str]:
        loaded = load(text.encode(), "f")
        assert loaded.errors == ()
        return [str(error) for error in check_references(loaded.objects, existing)]

    def test_what_exists_elsewhere_may_be_referred_to(self) -> None:
        assert self.check(self.CAMERA) == ["f:6:11 spec.backup: there is no Camera 'pier'"]
        assert self.check(self.CAMERA, Key("Camera", "default", "pier")) == []

    def test_but_not_in_another_namespace_or_of_another_kind(self) -> None:
        for key in (Key("Camera", "other", "pier"), Key("Overlay", "default", "pier")):
            assert self.check(self.CAMERA, key) == ["f:6:11 spec.backup: there is no Camera 'pier'"]

    def test_the_nearest_name_that_exists_is_told(self) -> None:
        found = self.check(self.CAMERA, Key("Camera", "default", "peer"))
        assert found == ["f:6:11 spec.backup: there is no Camera 'pier'; did you mean peer?"]

    def test_a_secret_that_is_not_at_hand_may_have_any_key(self) -> None:
        text = self.CAMERA.replace(
            "{testPattern: {}}", "{url: 'rtsp://c/x', credentialsSecretRef: {name: l}}"
        )
        existing = (Key("Camera", "default", "pier"), Key("Secret", "default", "l"))
        assert self.check(text, *existing) == []

    def test_it_works_in_lists(self) -> None:
        body = self.CAMERA.replace("\n", "\n    ")
        text = f"apiVersion: v1\nkind: List\nitems:\n  - {body}"
        assert self.check(text) == ["f:9:15 spec.backup: there is no Camera 'pier'"]


SEEDS = [file.read_bytes() for file in GOOD]
TOKENS = [
    b"---\n", b"- ", b": ", b"{", b"}", b"[", b"]", b"'", b'"', b"&a ", b"*a", b"!!x ", b"<<: ", b"|\n",
    b"? ", b"\t", b"\n", b" ", b"#", b"%", b"null", b"1e999", b"-1", b"\xff", b"\x00", b"\\", b"@",
    b"...\n", b"~",
    b"apiVersion: v1\nkind: List\nitems: ", b"spec: 1\n", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"0777", b",",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good manifest, damaged as editors, disks and people do it."""
    text = bytearray(draw(st.sampled_from(SEEDS)))
    shuffle = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(1, 8))):
        at = shuffle.randrange(len(text) + 1)
        length = shuffle.choice((0, 1, 1, 5, 40))
        damage = shuffle.choice(
            (
                b"",
                shuffle.choice(TOKENS),
                shuffle.choice(TOKENS) * 50,
                shuffle.randbytes(3),
                bytes(text[:at][-30:]),
            )
        )
        text[at : at + length] = damage
    return bytes(text)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    mutated()
    | st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))
)
def test_nothing_that_is_in_a_file_makes_it_crash_or_hang(text: bytes) -> None:
    start = time.process_time()
    loaded = load(text, "f")
    dangling = check_references(loaded.objects)
    assert time.process_time() - start < 10, "it hangs"
    lines = text.decode(errors="replace").split("\n")
    for error in (*loaded.errors, *dangling):
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1].lstrip("\ufeff")) + 2
        assert error.message
    for located in loaded.objects:
        assert type(located.resource).model_validate(located.resource.dump()) == located.resource


@pytest.mark.slow
@given(st.integers(1, 400))
def test_a_half_written_file_never_loads_something_else_than_the_whole(cut: int) -> None:
    text = (ROOT / "manifests/appliance.yaml").read_bytes()
    whole = {located.resource.key for located in load(text, "f").objects}
    part = {located.resource.key for located in load(text[: min(cut * 4, len(text))], "f").objects}
    assert all(key.kind in ("Camera", "Timeline", "Program", "Output") for key in part)
    assert len(part - whole) <= 1  # the last name may be cut short


def test_a_camera_is_a_camera() -> None:
    text = HEAD + "kind: Camera\nmetadata: {name: a}\nspec: {source: {url: 'rtsp://cam/main'}}\n"
    (located,) = load(text.encode(), "f").objects
    assert isinstance(located.resource, Camera)
    assert located.resource.spec.source.url == "rtsp://cam/main"
