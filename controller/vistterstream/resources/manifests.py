"""Manifests: from the text of files to objects, with every error and where it stands.

`load` reads one file, `load_all` several that make up one desired state, `check_references` finds what
refers to objects that do not exist. None of them reads a file, or raises for what can be in one: LoadFailed
is a mistake in here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vistterstream.base.errors import VistterError
from vistterstream.base.redaction import redact
from vistterstream.resources import dialect
from vistterstream.resources.complaints import complaint
from vistterstream.resources.dialect import Document, Mark, Node, Path
from vistterstream.resources.kinds import API_VERSION, KINDS, Key, Resource, Secret
from vistterstream.resources.messages import enumeration, nearest, shown
from vistterstream.resources.model import Decisive, path_text
from vistterstream.resources.references import references

MAX_ERRORS = 100
"""Errors reported of one file; who has more has one cause."""

_SET_BY_THE_SERVER = {"managedFields", "selfLink"}
_CREDENTIALS: tuple[str, ...] = ("username", "password")

M = TypeVar("M", bound=BaseModel)
R_co = TypeVar("R_co", bound=Resource, covariant=True)


@dataclass(frozen=True, slots=True)
class ManifestError:
    """Something wrong with a manifest. `path` is such as ``spec.targets[1].url``, or empty."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        path = f" {self.path}" if self.path else ""
        return f"{self.file}:{self.line}:{self.column}{path}: {self.message}"


@dataclass(frozen=True, slots=True)
class Located(Generic[R_co]):
    """An object, and where it stands."""

    resource: R_co
    file: str
    line: int
    node: Node = field(repr=False, compare=False)

    def error(self, path: Path, message: str, *, key: bool = False) -> ManifestError:
        """An error at `path` in this object, or at the name of that field."""
        return _error(self.file, self.node, path, path, message, key=key)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is right and what is wrong with a file or files."""

    objects: tuple[Located[Resource], ...]
    errors: tuple[ManifestError, ...]


class LoadFailed(VistterError):
    """Reading `file` ended with an error that nobody foresaw: a mistake in here, whatever the file says.

    The sentence names the kind of `error` alone, since its text may hold a value of a Secret.
    """

    def __init__(self, file: str, error: Exception) -> None:
        super().__init__(
            f"internal error while reading {file} ({type(error).__name__}); this is a mistake in "
            "VistterStream, please report it with that file, without its secrets",
            reason="InternalError",
        )


def load(text: bytes, file: str) -> Loaded:
    """The objects in `text`, the content of `file`, and every error in it, in order. Raises LoadFailed."""
    try:
        return _load(text, file)
    except Exception as error:  # the edge of a file: one must never keep the others from being read
        raise LoadFailed(file, error) from error


def _load(text: bytes, file: str) -> Loaded:
    reader = _Reader(file)
    for document in dialect.parse(text):
        reader.read(document)
    objects, twice = _without_duplicates(reader.objects)
    return Loaded(objects, _in_order([*reader.errors, *twice], reader.omitted))


def load_all(files: Mapping[str, bytes]) -> Loaded:
    """The objects in several files, by name of file; no object may be in two of them. Raises LoadFailed."""
    loaded = [load(text, file) for file, text in files.items()]
    objects, twice = _without_duplicates(located for part in loaded for located in part.objects)
    errors = [error for part in loaded for error in part.errors]
    order = {file: place for place, file in enumerate(files)}
    return Loaded(objects, tuple(sorted([*errors, *twice], key=lambda error: order[error.file])))


def check_references(
    objects: Iterable[Located[Resource]], existing: Collection[Key] = ()
) -> tuple[ManifestError, ...]:
    """An error for each reference to what is neither in `objects` nor in `existing`, and for each key that
    a Secret in `objects` lacks.
    """
    objects = tuple(objects)
    here = {located.resource.key: located.resource for located in objects}
    known = {*here, *existing}
    return tuple(error for located in objects for error in _dangling(located, here, known))


def _dangling(
    located: Located[Resource], here: Mapping[Key, Resource], known: Collection[Key]
) -> Iterator[ManifestError]:
    for reference in references(located.resource):
        target = reference.target
        path = reference.steps
        if target not in known:
            names = [
                key.name for key in known if (key.kind, key.namespace) == (target.kind, target.namespace)
            ]
            suggestion = nearest(target.name, names)
            yield located.error(path, f"there is no {target.kind} {shown(target.name)}{suggestion}")
        secret = here.get(target)
        if isinstance(secret, Secret):
            yield from _missing_keys(located, path, secret)


def _missing_keys(located: Located[Resource], path: Path, secret: Secret) -> Iterator[ManifestError]:
    keys = secret.values()
    named = dialect.find(located.node, (*path[:-1], "key"))
    wanted = _CREDENTIALS
    if isinstance(named, dialect.Scalar):
        path, wanted = (*path[:-1], "key"), (str(named.value),)
    for key in wanted:
        if key not in keys:
            message = f"Secret {secret.metadata.name} has no key {shown(key)}{nearest(key, keys)}"
            yield located.error(path, message)


class _Reader:
    """Reads the documents of one file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.objects: list[Located[Resource]] = []
        self.errors: list[ManifestError] = []
        self.omitted = 0

    def read(self, document: Document) -> None:
        """Take the objects and errors of a document."""
        for problem in document.problems:
            self.errors.append(
                ManifestError(
                    self._file,
                    problem.mark.line,
                    problem.mark.column,
                    path_text(problem.path),
                    redact(problem.message),
                )
            )
        if document.root is not None:
            self._object(document, document.root, ())

    def _object(self, document: Document, node: Node, prefix: Path) -> None:
        if not isinstance(node, dialect.Mapping):
            self._complain(
                node, prefix, (), "an object is expected here: apiVersion, kind, metadata and spec"
            )
            return
        if _word(node, "kind") == "List" and _word(node, "apiVersion") == "v1":
            self._list(document, node, prefix)
            return
        info = self._kind(node, prefix)
        if info is None:
            return
        doubtful = {path[len(prefix) :] for path in document.doubtful if path[: len(prefix)] == prefix}
        resource, errors, omitted = _validated(info, node, doubtful)
        self.omitted += omitted
        for path, message, key in errors:
            self._complain(node, prefix, path, message, key=key)
        if resource is not None and not document.problems:
            self.objects.append(Located(resource, self._file, node.mark.line, node))

    def _list(self, document: Document, node: dialect.Mapping, prefix: Path) -> None:
        items = node.fields.get("items")
        if not isinstance(items, dialect.Sequence):
            self._complain(node, prefix, ("items",), "must be given: the list of objects", key=True)
            return
        for index, item in enumerate(items.items):
            self._object(document, item, (*prefix, "items", index))

    def _kind(self, node: dialect.Mapping, prefix: Path) -> type[Resource] | None:
        """The model of the object's kind; None, and an error, where there is none."""
        kind, version = _word(node, "kind"), _word(node, "apiVersion")
        info = KINDS.get(kind or "")
        wanted = info.api_version if info else API_VERSION
        if kind is None:
            self._complain(node, prefix, ("kind",), f"must be given: {enumeration(KINDS)}", key=True)
        elif info is None:
            suggestion = nearest(kind, KINDS) or f"; the kinds are {enumeration(KINDS, 'and')}"
            self._complain(node, prefix, ("kind",), f"there is no kind {shown(kind)}{suggestion}")
        if version is None:
            self._complain(node, prefix, ("apiVersion",), f"must be given: {wanted}", key=True)
        elif info is not None and version != wanted:
            self._complain(node, prefix, ("apiVersion",), f"{shown(version)} has no {kind}; use {wanted}")
        elif info is not None:
            return info.model
        return None

    def _complain(self, node: Node, prefix: Path, path: Path, message: str, *, key: bool = False) -> None:
        self.errors.append(_error(self._file, node, path, (*prefix, *path), message, key=key))


Complaint = tuple[Path, str, bool]
"""Where, what, and whether the name of the field is meant and not its value."""


def _validated(
    model: type[Resource], node: dialect.Mapping, doubtful: set[Path]
) -> tuple[Resource | None, list[Complaint], int]:
    """The object, or what is wrong with it and the number of errors beyond; no error where
    it comes from a `doubtful` value.

    A field with nothing in it (null) counts as not given, as in Kubernetes.
    """
    form: dict[str, Any] = {name: dialect.plain(child) for name, child in node.fields.items()}
    form.pop("status", None)
    if isinstance(form.get("metadata"), dict):
        for name in _SET_BY_THE_SERVER:
            form["metadata"].pop(name, None)
    resource, errors = _try(model, form)
    empty = {
        error["loc"] for error in errors if error["input"] is None and error["type"] != "extra_forbidden"
    }
    if empty and all(_drop(form, path) for path in empty):
        resource, errors = _try(model, form)
    found = [
        found
        for error in errors[:MAX_ERRORS]
        for found in complaint(model, error, emptied=error["loc"] in empty)
        if not _is_doubtful(found[0], error["type"], doubtful)
    ]
    return resource, found, max(len(errors) - MAX_ERRORS, 0)


def valid(model: type[M], form: object) -> M | None:
    """What a part of an object says, as strictly as the whole is read; None where it is not valid."""
    found, _ = _try(model, form)
    return found


def _try(model: type[M], form: Any) -> tuple[M | None, list[ErrorDetails]]:
    try:
        # As JSON and strictly: "5" is no number and yes is no boolean. Only the names of YAML count.
        text = json.dumps(form)
        return model.model_validate_json(text, strict=True, by_alias=True, by_name=False), []
    except ValidationError as error:
        errors = error.errors(include_url=False)
        decisive = [one for one in errors if isinstance(one.get("ctx", {}).get("error"), Decisive)]
        return None, decisive or errors


def _drop(form: Any, path: Path) -> bool:
    """Take out the field at `path`; False where it is none, but an item of a list."""
    for step in path[:-1]:
        form = form[step]
    return isinstance(form, dict) and form.pop(path[-1], form) is None


def _is_doubtful(path: Path, type_: str, doubtful: set[Path]) -> bool:
    """Whether an error at `path` may come from a value that is not what the user meant."""
    return any(
        path[: len(other)] == other or (type_ == "value_error" and other[: len(path)] == path)
        for other in doubtful
    )


def _word(node: dialect.Mapping, name: str) -> str | None:
    found = node.fields.get(name)
    value = found.value if isinstance(found, dialect.Scalar) else None
    return None if value is None else str(value)


def _error(
    file: str, node: Node, path: Path, full_path: Path, message: str, *, key: bool = False
) -> ManifestError:
    mark = _mark(node, path, key=key)
    return ManifestError(file, mark.line, mark.column, path_text(full_path), redact(message))


def _mark(node: Node, path: Path, *, key: bool) -> Mark:
    """Where to point: at the value; at the field's name if that is meant or its value is a block; at what is
    around a field that is missing.
    """
    found = dialect.find(node, path)
    while found is None and path:
        path, key = path[:-1], True
        found = dialect.find(node, path)
    return dialect.locate(node, path, key=key or not isinstance(found, dialect.Scalar))


def _without_duplicates(
    objects: Iterable[Located[Resource]],
) -> tuple[tuple[Located[Resource], ...], list[ManifestError]]:
    first: dict[Key, Located[Resource]] = {}
    errors = []
    for located in objects:
        key = located.resource.key
        if key in first:
            where = f"{first[key].file}:{first[key].line}"
            errors.append(located.error(("metadata", "name"), f"{key} is defined twice; first at {where}"))
        else:
            first[key] = located
    return tuple(first.values()), errors


def _in_order(errors: Iterable[ManifestError], omitted: int) -> tuple[ManifestError, ...]:
    ordered = sorted(dict.fromkeys(errors), key=lambda error: (error.line, error.column))
    omitted += max(len(ordered) - MAX_ERRORS, 0)
    if not omitted:
        return tuple(ordered)
    first = ordered[:MAX_ERRORS]
    last = first[-1]
    return (*first, ManifestError(last.file, last.line, last.column, "", f"and {omitted} more errors"))
