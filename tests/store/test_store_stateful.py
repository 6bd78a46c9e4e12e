"""The store against a plain dictionary of fields, each with its value and its owners."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from store.objects import key, make
from vistterstream.resources.kinds import Resource
from vistterstream.store.errors import Conflict, Invalid
from vistterstream.store.store import Outcome, Store
from vistterstream.store.watching import ChangeType

NAMES = st.sampled_from(["wharf", "pier", "quay"])
MANAGERS = st.sampled_from(["file", "studio", "cli"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "spec.stallAfter": st.sampled_from(["2s", "3s"]),
        "spec.backup": st.sampled_from(["mole", "jetty"]),
        "spec.source.testPattern.tone": st.sampled_from([0, 440]),
        "metadata.labels.site": st.sampled_from(["north", "south"]),
    },
)
SOURCE = "spec.source.testPattern.pattern"

Fields = dict[str, tuple[Any, set[str]]]


class Model:
    """An object as the rules of server-side apply have it."""

    def __init__(self) -> None:
        self.fields: Fields = {}
        self.managers: list[str] = []
        self.generation = 1
        self.status: int | None = None

    def conflicts(self, manager: str, wanted: dict[str, Any]) -> set[tuple[str, str]]:
        return {
            (field, other)
            for field, value in wanted.items()
            if field in self.fields and self.fields[field][0] != value
            for other in self.fields[field][1] - {manager}
        }

    def apply(self, manager: str, wanted: dict[str, Any]) -> None:
        before = self.effective()
        robbed = {other for _field, other in self.conflicts(manager, wanted)}
        self._give_up(manager, keep=set(wanted))
        for field, value in wanted.items():
            same = field in self.fields and self.fields[field][0] == value
            self.fields[field] = (value, (self.fields[field][1] if same else set()) | {manager})
        if manager not in self.managers:
            self.managers.append(manager)
        for other in robbed:
            if not any(other in owners for _value, owners in self.fields.values()):
                self.managers.remove(other)
        self.generation += self.effective() != before

    def release(self, manager: str) -> None:
        before = self.effective()
        self._give_up(manager, keep=set())
        self.managers.remove(manager)
        self.generation += self.effective() != before

    def _give_up(self, manager: str, keep: set[str]) -> None:
        for field in [field for field, (_, owners) in self.fields.items() if manager in owners]:
            if field not in keep:
                self.fields[field][1].discard(manager)
                if not self.fields[field][1]:
                    del self.fields[field]

    def effective(self) -> dict[str, Any]:
        values = {"spec.stallAfter": "2s", "spec.backup": None, "spec.source.testPattern.tone": 0}
        values |= {field: value for field, (value, _) in self.fields.items() if field.startswith("spec.")}
        return values


class StoreAgainstModel(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "store.sqlite3"
        self.store = Store(self.path, remembered_deletions=1000)
        self.model: dict[str, Model] = {}
        self.mirror: dict[str, str] = {}
        self.cursor = 0

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(name=NAMES, manager=MANAGERS, fields=FIELDS, force=st.booleans())
    def apply(self, name: str, manager: str, fields: dict[str, Any], force: bool) -> None:
        wanted = {SOURCE: "grid", **fields}
        model = self.model.get(name, Model())
        conflicts = model.conflicts(manager, wanted)
        version = self.store.resource_version
        if conflicts and not force:
            with pytest.raises(Conflict) as refused:
                self.store.apply(resource(name, wanted), manager=manager)
            assert set(refused.value.fields) == conflicts
            assert self.store.resource_version == version
            return
        applied = self.store.apply(resource(name, wanted), manager=manager, force=force)
        if name not in self.model:
            assert applied.change is Outcome.CREATED
            model.apply(manager, wanted)
            model.generation = 1
        else:
            before = {field: value for field, (value, _) in model.fields.items()}
            model.apply(manager, wanted)
            changed = before != {field: value for field, (value, _) in model.fields.items()}
            assert applied.change is (Outcome.CONFIGURED if changed else Outcome.UNCHANGED)
            assert (self.store.resource_version > version) == changed
        self.model[name] = model

    @rule(name=NAMES, manager=MANAGERS)
    def release(self, name: str, manager: str) -> None:
        model = self.model.get(name)
        went = self.store.release(key(name), manager=manager)
        if model is None or manager not in model.managers:
            assert not went
            return
        model.release(manager)
        assert went == (not model.managers)
        if went:
            del self.model[name]

    @rule(name=NAMES, manager=MANAGERS, force=st.booleans())
    def delete(self, name: str, manager: str, force: bool) -> None:
        model = self.model.get(name)
        if model is not None and model.managers[0] != manager and not force:
            with pytest.raises(Conflict):
                self.store.delete(key(name), manager=manager)
            return
        assert self.store.delete(key(name), manager=manager, force=force) == (model is not None)
        self.model.pop(name, None)

    @rule(name=NAMES, number=st.integers(0, 2))
    def set_status(self, name: str, number: int) -> None:
        wrote = self.store.set_status(key(name), {"observedGeneration": number})
        model = self.model.get(name)
        assert wrote == (model is not None and model.status != number)
        if model is not None:
            model.status = number

    @rule(name=NAMES)
    def a_batch_that_fails_leaves_nothing(self, name: str) -> None:
        def fail() -> None:
            with self.store.batch():
                self.store.apply(resource(name, {SOURCE: "motion"}), manager="git", force=True)
                self.store.set_status(key(name), {"observedGeneration": 99})
                self.store.delete(key(name), manager="git", force=True)
                raise Invalid("stop")

        with pytest.raises(Invalid, match="stop"):
            fail()

    @rule()
    def restart(self) -> None:
        version = self.store.resource_version
        self.store.close()
        self.store = Store(self.path, remembered_deletions=1000)
        assert self.store.resource_version == version

    @rule()
    @precondition(lambda self: self.store.resource_version > 0)
    def catch_up(self) -> None:
        """A watcher that now and then looks ends up with what there is."""

        async def follow() -> None:
            upto = self.store.resource_version
            with anyio.move_on_after(0):
                async for change in self.store.watch(self.cursor):
                    name = change.resource.metadata.name
                    assert change.resource_version > self.cursor
                    if change.type is ChangeType.DELETED:
                        del self.mirror[name]
                    else:
                        assert (change.type is ChangeType.ADDED) == (name not in self.mirror)
                        self.mirror[name] = str(change.resource.metadata.resource_version)
            self.cursor = upto

        anyio.run(follow)
        assert self.mirror == {
            item.metadata.name: item.metadata.resource_version for item in self.store.list()[0]
        }

    @invariant()
    def same_as_the_model(self) -> None:
        found, _version = self.store.list()
        assert {item.metadata.name for item in found} == set(self.model)
        for item in found:
            model = self.model[item.metadata.name]
            assert item == self.store.get(item.key)
            assert values(item) == model.effective() | {SOURCE: "grid"}
            site = model.fields.get("metadata.labels.site")
            assert item.metadata.labels == ({"site": site[0]} if site else {})
            assert item.generation == model.generation
            assert item.status.observed_generation == model.status
            assert list(self.store.managers(item.key)) == model.managers
            assert self.store.owner(item.key) == model.managers[0]
            for field, (_value, owners) in model.fields.items():
                owning = {name for name, fields in self.store.managers(item.key).items() if field in fields}
                assert owning == owners
        for target in ("mole", "jetty"):
            naming = {
                name for name, model in self.model.items() if model.effective()["spec.backup"] == target
            }
            assert {referrer.name for referrer in self.store.referrers(key(target))} == naming


def values(item: Resource) -> dict[str, Any]:
    pattern = item.spec.source.test_pattern
    return {
        "spec.stallAfter": str(item.spec.stall_after),
        "spec.backup": item.spec.backup,
        "spec.source.testPattern.tone": pattern.tone,
        SOURCE: pattern.pattern.value,
    }


def resource(name: str, fields: dict[str, Any]) -> Resource:
    pattern = {"pattern": fields[SOURCE]}
    if "spec.source.testPattern.tone" in fields:
        pattern["tone"] = fields["spec.source.testPattern.tone"]
    spec = {"source": {"testPattern": pattern}}
    spec |= {part: fields[f"spec.{part}"] for part in ("stallAfter", "backup") if f"spec.{part}" in fields}
    labels = {"site": fields["metadata.labels.site"]} if "metadata.labels.site" in fields else {}
    return make("Camera", name, spec, **({"labels": labels} if labels else {}))


TestStoreAgainstModel = pytest.mark.slow(StoreAgainstModel.TestCase)
TestStoreAgainstModel.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
