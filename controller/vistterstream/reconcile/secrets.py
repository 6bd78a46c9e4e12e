"""The secrets that a plan needs: which, their values, and what is missing.

Every value that passes through here is taught to the redactor first, so that nothing which is written
afterwards can hold it. What a plan and a status carry of them is a revision: a keyed digest, whose key
stays in the state folder, so that it does not serve to try out guesses.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vistterstream.base.files import write_atomic
from vistterstream.base.redaction import redact
from vistterstream.reconcile.problems import Lookup, Problem
from vistterstream.resources.kinds import Camera, Key, Output, Overlay, Resource, Secret

LOGIN_KEYS = ("username", "password")
"""Keys that the Secret of a camera's login has."""
_SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Wish:
    """`key` of the Secret `name`, wanted by the field at `path`."""

    path: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Values:
    """Secret values, by ``SECRET/KEY``; and the keys that exist nowhere."""

    values: Mapping[str, str]
    problems: tuple[Problem, ...]

    def revision(self, salt: bytes) -> str:
        """Changes when a value does; tells nothing about it to those who have not `salt`."""
        digest = hashlib.blake2b(key=salt, digest_size=8)
        for name, value in sorted(self.values.items()):
            for part in (name.encode(), value.encode()):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest() if self.values else ""


def wishes(resource: Resource) -> Iterator[Wish]:
    """Which secret values `resource` needs."""
    if isinstance(resource, Camera) and (login := resource.spec.source.credentials_secret_ref):
        for key in LOGIN_KEYS:
            yield Wish("spec.source.credentialsSecretRef", login.name, key)
    if isinstance(resource, Camera) and (phrase := resource.spec.source.passphrase_secret_ref):
        yield Wish("spec.source.passphraseSecretRef", phrase.name, phrase.key)
    if isinstance(resource, Output):
        for index, target in enumerate(resource.spec.targets):
            for field, ref in target.secrets.items():
                yield Wish(f"spec.targets[{index}].{field}", ref.name, ref.key)
    if isinstance(resource, Overlay):
        for index, source in enumerate(resource.spec.data):
            if source.authorization_secret_ref is not None:
                reference = source.authorization_secret_ref
                yield Wish(f"spec.data[{index}].authorizationSecretRef", reference.name, reference.key)


def collect(store: Lookup, resources: Iterable[Resource]) -> Values:
    """The secret values that `resources` need. A Secret that does not exist is `problems.dangling`'s."""
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for resource in resources:
        for wish in wishes(resource):
            secret = store.get(Key("Secret", resource.metadata.namespace, wish.name))
            if not isinstance(secret, Secret):
                continue
            given = learn(secret).get(wish.key)
            if given is None:
                problems.append(_missing(resource, secret, wish))
            else:
                values[f"{wish.name}/{wish.key}"] = given
    return Values(values, tuple(problems))


def learn(secret: Secret) -> dict[str, str]:
    """The values of `secret`; from now on they are masked in everything that is written."""
    values = secret.values()
    redact.learn(values.values())
    return values


def salt(state_dir: Path) -> bytes:
    """The key of revisions, made at the first call for a state folder and kept there. Raises OSError."""
    path = state_dir / "salt"
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        found = b""
    if len(found) != _SALT_BYTES:
        found = os.urandom(_SALT_BYTES)
        write_atomic(path, found)
    return found


def _missing(resource: Resource, secret: Secret, wish: Wish) -> Problem:
    return Problem(
        resource.key,
        f"{wish.path}.{wish.key}",
        "SecretKeyNotFound",
        f"{secret.key} has no key {wish.key}; add it or change {wish.path}",
    )
