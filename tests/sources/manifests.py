"""Manifests for tests, as text."""

from __future__ import annotations


def camera(name: str, tone: int = 0, *, backup: str = "") -> str:
    """A camera, as one YAML document."""
    more = f"\n  backup: {backup}" if backup else ""
    return (
        "apiVersion: stream.vistter.io/v1alpha1\n"
        "kind: Camera\n"
        f"metadata: {{name: {name}}}\n"
        "spec:\n"
        f"  source: {{testPattern: {{tone: {tone}}}}}{more}\n"
    )


def cameras(*names: str, tone: int = 0) -> str:
    """Several."""
    return "---\n".join(camera(name, tone) for name in names)


def program(name: str = "main", timeline: str = "day") -> str:
    """A program; the timeline need not exist."""
    return (
        "apiVersion: stream.vistter.io/v1alpha1\n"
        "kind: Program\n"
        f"metadata: {{name: {name}}}\n"
        f"spec: {{timeline: {timeline}}}\n"
    )


def secret(name: str, value: str) -> str:
    """A secret with one value."""
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{streamKey: {value}}}\n"


BROKEN = "apiVersion: stream.vistter.io/v1alpha1\nkind: Camera\nmetadata: {name: wharf\nspec:\n  sour"
"""A file that somebody is in the middle of writing."""
