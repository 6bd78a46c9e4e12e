"""What a command is asked about: KIND NAME, KIND/NAME, or several kinds."""

from __future__ import annotations

from vistterstream.base.errors import VistterError
from vistterstream.resources.kinds import find_kind


def parted(kind: str, name: str | None) -> tuple[str, str | None]:
    """The kind and the name, where they may be given as KIND/NAME too. Raises VistterError."""
    kind, slash, named = kind.partition("/")
    if not slash:
        return kind, name
    if name is not None:
        raise VistterError(
            f"give one object at a time, as KIND/NAME or KIND NAME: not '{kind}/{named}' and {name!r} too",
            reason="BadArguments",
        )
    if not named:
        raise VistterError(f"there is no name after the / of '{kind}/'", reason="BadArguments")
    return kind, named


def one_kind(word: str) -> str:
    """The kind that is called `word`. Raises VistterError."""
    if "," in word:
        raise VistterError(
            f"give one kind at a time, not {word!r}; only vistter get takes several", reason="UnknownKind"
        )
    return find_kind(word).kind


def several_kinds(words: str) -> tuple[str, ...]:
    """The kinds of a list with commas, each once; none where all are meant. Raises UnknownKind."""
    asked = words.split(",")
    if any(word.lower() == "all" for word in asked):
        return ()
    return tuple(dict.fromkeys(find_kind(word).kind for word in asked))
