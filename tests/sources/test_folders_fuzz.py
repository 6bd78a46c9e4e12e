"""Random doings in a watched folder: in the end the store holds what the files say, and nothing else."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from sources.bench import Bench, running
from sources.manifests import BROKEN, cameras
from sources.waiting import until
from vistterstream.resources.kinds import SOURCE_FILE, Key
from vistterstream.resources.manifests import load
from vistterstream.sources.ledger import Graces
from vistterstream.store.store import Store

pytestmark = pytest.mark.anyio

STEPS = 60
GRACES = Graces(removed=0.02, emptied=0.1, settled=0.05)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite3")
    yield store
    store.close()


class Vandal:
    """Somebody who edits a folder in every way that people and programs do."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.tone = 0

    def step(self) -> None:
        """Do something."""
        often = [
            self.write,
            self.write,
            self.rename_into_place,
            self.halve,
            self.spoil,
            self.delete,
            self.move,
        ]
        rarely = [
            self.copy,
            self.empty,
            self.burst,
            self.remake_folder,
            self.remove_folder,
            self.editor_litter,
        ]
        self.chance.choice([*often, *rarely])()

    def some(self) -> Path:
        return self.folder / self.chance.choice(["a.yaml", "b.yml", "sub/c.yaml", "sub/deep/d.yaml"])

    def text(self) -> str:
        names = self.chance.sample(["wharf", "pier", "quay", "mole", "jetty"], self.chance.randrange(1, 4))
        self.tone += 1
        return cameras(*names, tone=self.tone)

    def write(self) -> None:
        path = self.some()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text())

    def rename_into_place(self) -> None:
        path = self.some()
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.tmp")
        new.write_text(self.text())
        new.replace(path)

    def halve(self) -> None:
        path = self.some()
        if path.exists():
            text = path.read_text()
            path.write_text(text[: self.chance.randrange(len(text) + 1)])

    def spoil(self) -> None:
        path = self.some()
        if path.exists():
            path.write_text(BROKEN)

    def empty(self) -> None:
        path = self.some()
        if path.exists():
            path.write_text(self.chance.choice(["", "# nothing\n", "---\n---\n"]))

    def delete(self) -> None:
        self.some().unlink(missing_ok=True)

    def move(self) -> None:
        path, target = self.some(), self.some()
        if path.exists() and path != target:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)

    def copy(self) -> None:
        path, target = self.some(), self.some()
        if path.exists() and path != target:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)

    def burst(self) -> None:
        for _ in range(self.chance.randrange(2, 12)):
            self.chance.choice([self.write, self.halve, self.delete, self.move])()

    def remake_folder(self) -> None:
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        (self.folder / "guard.yaml").write_text(cameras("guard"))
        self.write()

    def remove_folder(self) -> None:
        shutil.rmtree(self.folder / "sub", ignore_errors=True)

    def editor_litter(self) -> None:
        for name in (".a.yaml.swp", "a.yaml~", "4913", "#b.yml#"):
            (self.folder / name).write_text(BROKEN)

    def mend(self) -> None:
        """Leave every file in order."""
        for path in [*self.folder.rglob("*.yaml"), *self.folder.rglob("*.yml")]:
            if load(path.read_bytes(), str(path)).errors:
                path.write_text(self.text())


def defined(folder: Path) -> dict[Key, dict[str, object]]:
    """What the files say now: for each object, its spec by the file that it is in."""
    found: dict[Key, dict[str, object]] = {}
    for path in [*folder.rglob("*.yaml"), *folder.rglob("*.yml")]:
        if path.name.startswith("."):
            continue
        for located in load(path.read_bytes(), str(path)).objects:
            found.setdefault(located.resource.key, {})[str(path)] = located.resource.spec.dump()
    return found


def as_defined(bench: Bench, files: dict[Key, dict[str, object]]) -> bool:
    """Whether the store holds the same objects, each as one of the files has it that define it."""
    objects, _version = bench.store.list()
    return {item.key for item in objects} == set(files) and all(
        files[item.key].get(item.metadata.annotations[SOURCE_FILE]) == item.spec.dump() for item in objects
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 60))]
)
async def test_in_the_end_the_store_holds_what_the_files_say(store: Store, tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "guard.yaml").write_text(cameras("guard"))
    vandal = Vandal(folder, seed)
    guard = None
    steps = iter(range(STEPS))
    while (left := STEPS - next(steps, STEPS)) > 0:
        # Now and then the controller starts anew on the same store.
        async with running(store, folder, graces=GRACES, interval=1.0) as bench:
            guard = guard or bench.get("guard").metadata
            for _ in range(min(left, vandal.chance.randrange(10, 30))):
                vandal.step()
                next(steps, None)
                await anyio.sleep(vandal.chance.choice([0, 0, 0.01, 0.05, 0.15]))
                found = bench.store.get(Key("Camera", "default", "guard"))
                assert found is not None, (
                    "an object whose file was always there, or whose folder was not, went"
                )
                assert (found.metadata.uid, found.generation) == (guard.uid, 1)
    vandal.mend()
    async with running(store, folder, graces=GRACES, interval=1.0) as bench:
        vandal.write()
        files = defined(folder)
        await until(lambda: as_defined(bench, files), "the store holds what the files say")
        twice = {path for found in files.values() if len(found) > 1 for path in found}
        assert all(str(path) in twice for path in bench.source.problems())

    # A controller without a past sees the same.
    fresh = Store(tmp_path / "fresh.sqlite3")
    async with running(fresh, folder, graces=GRACES) as bench:
        assert as_defined(bench, files)
    fresh.close()
