from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.objects import apply, camera, locked_camera, make, secret, stream
from vistterstream.base.redaction import redact
from vistterstream.reconcile.secrets import Values, Wish, collect, salt, wishes
from vistterstream.store.store import Store

SALT = bytes(32)
SOME_VALUES = st.dictionaries(st.text(max_size=5), st.text(max_size=5))


def test_a_camera_wants_a_name_and_a_password_and_an_output_its_key() -> None:
    assert list(wishes(locked_camera("gate", "login"))) == [
        Wish("spec.source.credentialsSecretRef", "login", "username"),
        Wish("spec.source.credentialsSecretRef", "login", "password"),
    ]
    assert list(wishes(stream("live", "main", "youtube"))) == [
        Wish("spec.targets[0].streamKeySecretRef", "youtube", "streamKey")
    ]
    assert list(wishes(camera("wharf"))) == []


def test_what_goes_over_srt_wants_its_passphrase() -> None:
    phrase = {"passphraseSecretRef": {"name": "srt", "key": "phrase"}}
    source = {"source": {"url": "srt://h:9", **phrase}}
    key = {"streamKeySecretRef": {"name": "srt", "key": "id"}}
    spec = {"program": "main", "targets": [{"name": "a", "url": "srt://h:9", **phrase, **key}]}
    assert list(wishes(make("Camera", "far", source))) == [
        Wish("spec.source.passphraseSecretRef", "srt", "phrase")
    ]
    assert list(wishes(make("Output", "out", spec))) == [
        Wish("spec.targets[0].streamKeySecretRef", "srt", "id"),
        Wish("spec.targets[0].passphraseSecretRef", "srt", "phrase"),
    ]


def test_values_are_found_by_secret_and_key_and_masked_from_then_on(store: Store) -> None:
    apply(store, secret("login", username="op-erator", password="s3cr3t-of-gate"))
    found = collect(store, [locked_camera("gate", "login"), stream("live", "main", "youtube")])
    assert found.values == {"login/username": "op-erator", "login/password": "s3cr3t-of-gate"}
    assert found.problems == (), "a Secret that is missing altogether is a dangling reference"
    assert redact("tried s3cr3t-of-gate") == "tried ***"


def test_a_key_that_is_missing_is_a_problem(store: Store) -> None:
    apply(store, secret("youtube", other="value"))
    found = collect(store, [stream("live", "main", "youtube")])
    assert found.values == {}
    (problem,) = found.problems
    assert problem.reason == "SecretKeyNotFound"
    assert problem.message == (
        "Secret default/youtube has no key streamKey; add it or change spec.targets[0].streamKeySecretRef"
    )


@pytest.mark.slow
@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=5)),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5)),
)
def test_a_revision_changes_exactly_when_a_value_does(one: dict[str, str], other: dict[str, str]) -> None:
    revisions = [Values(values, ()).revision(SALT) for values in (one, other)]
    assert (revisions[0] == revisions[1]) == (one == other)
    assert Values(dict(reversed(one.items())), ()).revision(SALT) == revisions[0], "in whatever order"


def test_a_revision_cannot_be_computed_without_the_salt() -> None:
    values = Values({"login/password": "password1"}, ())
    assert values.revision(SALT) != values.revision(os.urandom(32))
    assert Values({}, ()).revision(SALT) == ""


def test_the_salt_is_made_once_and_readable_for_its_owner_alone(tmp_path: Path) -> None:
    first = salt(tmp_path)
    assert len(first) == 32
    assert salt(tmp_path) == first
    assert (tmp_path / "salt").stat().st_mode & 0o777 == 0o600
    (tmp_path / "salt").write_bytes(b"cut off")
    assert len(salt(tmp_path)) == 32
