"""Digests of what a plan holds, by which its parts and the whole are told apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from vistterstream.timeline.plan import Plan

_PIECE = 100  # entries of a list that are put into words at once


def plan_revision(plan: Plan) -> str:
    """Digest of everything in the plan: equal plans have equal revisions."""
    return hashlib.sha256(plan.text).hexdigest()[:16]


def digest(form: Any) -> str:
    """Digest of a JSON form."""
    found = hashlib.sha256()
    for piece in _pieces(form):
        found.update(piece.encode())
    return found.hexdigest()[:16]


def _pieces(form: Any) -> Iterator[str]:
    """`form` as JSON, in pieces: the encoder holds Python's lock, and others would wait for it."""
    if isinstance(form, dict):
        yield "{"
        for key in sorted(form):
            yield f"{json.dumps(key)}:"
            yield from _pieces(form[key])
            yield ","
        yield "}"
    elif isinstance(form, list) and len(form) > _PIECE:
        yield "["
        for start in range(0, len(form), _PIECE):
            yield from _pieces(form[start : start + _PIECE])
            yield ","
        yield "]"
    else:
        yield json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
