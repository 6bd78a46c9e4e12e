"""Outputs that would write into one folder, over each other's playlists and files. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from vistterstream.reconcile.paths import Paths
from vistterstream.reconcile.problems import Problem
from vistterstream.resources.kinds import Output, Resource
from vistterstream.timeline.compile import AssetKind


def clashes(state_dir: Path, output: Output, others: Iterable[Resource]) -> Iterator[Problem]:
    """A problem of `output` for each of its folders that one of `others`, of whatever program, has too.

    The targets of one output may share a folder, since one is active at a time. Links are not followed, for
    a file system that hangs must hold nobody up.
    """
    taken: dict[str, Output] = {}
    for other in others:
        if isinstance(other, Output) and other.key != output.key:
            for _path, folder in _folders(state_dir, other):
                taken.setdefault(folder, other)
    for path, folder in _folders(state_dir, output):
        if folder in taken:
            message = f"{path}: {folder} is a folder of {taken[folder].key} too; give each its own"
            yield Problem(output.key, path, "FolderClash", message)


def _folders(state_dir: Path, output: Output) -> Iterator[tuple[str, str]]:
    """The fields that name the folders of `output`, or would, and the folders."""
    paths = Paths(state_dir, {})
    for index, target in enumerate(output.spec.targets):
        for what, given, default in (
            ("hls", target.hls, paths.hls_folder),
            ("recording", target.recording, paths.recording_folder),
        ):
            if given is None:
                continue
            if given.folder is None:
                yield f"spec.targets[{index}].{what}", default(output, target)
            else:
                folder = paths.resolve(output, given.folder, AssetKind.FOLDER)
                yield f"spec.targets[{index}].{what}.folder", folder
