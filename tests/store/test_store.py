from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import pytest

from store.objects import camera, key, make, secret
from vistterstream.base.redaction import redact
from vistterstream.resources.kinds import SOURCE_LINE, Resource
from vistterstream.store.errors import Conflict, Invalid
from vistterstream.store.events import NewEvent
from vistterstream.store.store import Outcome, Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path)
    yield store
    store.close()


def got(store: Store, name: str, kind: str = "Camera") -> Resource:
    resource = store.get(key(name, kind))
    assert resource is not None
    return resource


def reopened(store: Store, path: Path) -> Store:
    store.close()
    return Store(path)


def test_a_new_object_gets_what_kubernetes_objects_have(store: Store) -> None:
    applied = store.apply(camera("wharf"), manager="file")
    assert applied.change is Outcome.CREATED
    metadata = got(store, "wharf").metadata
    assert metadata.generation == 1
    assert metadata.resource_version == str(store.resource_version)
    assert len(metadata.uid or "") == 36
    assert (metadata.creation_timestamp or "").endswith("Z")


def test_applying_the_same_again_writes_nothing(store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    version = store.resource_version
    applied = store.apply(camera("wharf"), manager="file")
    assert applied.change is Outcome.UNCHANGED
    assert store.resource_version == version


def test_generation_grows_only_when_what_is_asked_for_changes(store: Store) -> None:
    def generation(resource: Resource) -> int:
        return store.apply(resource, manager="file").resource.generation

    assert generation(camera("wharf")) == 1
    assert generation(camera("wharf", labels={"site": "north"})) == 1
    assert generation(camera("wharf", labels={"site": "north"}, stallAfter="2s")) == 1  # the default
    assert generation(camera("wharf", labels={"site": "north"}, stallAfter="3s")) == 2
    assert generation(camera("wharf", stallAfter="3s")) == 2
    store.set_status(key("wharf"), {"observedGeneration": 2})
    assert got(store, "wharf").generation == 2


def test_a_secrets_values_count_as_what_is_asked_for(store: Store) -> None:
    assert store.apply(secret("login", password="one"), manager="file").resource.generation == 1
    assert store.apply(secret("login", password="two"), manager="file").resource.generation == 2


def test_uid_and_creation_stay_over_changes_and_are_new_for_a_new_object(store: Store) -> None:
    first = store.apply(camera("wharf"), manager="file").resource.metadata
    second = store.apply(camera("wharf", stallAfter="5s"), manager="file").resource.metadata
    assert (first.uid, first.creation_timestamp) == (second.uid, second.creation_timestamp)
    store.delete(key("wharf"), manager="file")
    assert store.apply(camera("wharf"), manager="file").resource.metadata.uid != first.uid


def test_every_write_has_a_version_of_its_own_and_it_only_grows(store: Store, path: Path) -> None:
    versions = [store.resource_version]

    def wrote() -> None:
        assert store.resource_version > versions[-1]
        versions.append(store.resource_version)

    for step in range(3):
        store.apply(camera("wharf", stallAfter=f"{step + 1}s"), manager="file")
        wrote()
        store.set_status(key("wharf"), {"observedGeneration": step + 1})
        wrote()
        store.record(NewEvent(key("wharf"), "Seen", "seen"))
        wrote()
        store.delete(key("wharf"), manager="file")
        wrote()
        store = reopened(store, path)
        assert store.resource_version >= versions[-1]
    store.close()


def test_what_is_asked_for_is_read_neither_when_it_is_applied_nor_with_a_status(store: Store) -> None:
    """A timeline of a thousand cues takes 40 ms to read."""
    resource = camera("wharf")
    assert store.apply(resource, manager="file").resource.spec is resource.spec
    store.set_status(key("wharf"), {"observedGeneration": 1})
    assert got(store, "wharf").spec is resource.spec
    assert got(store, "wharf").status.observed_generation == 1


def test_a_status_that_is_the_same_writes_nothing(store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    assert store.set_status(key("wharf"), {"observedGeneration": 1, "video": {"width": 1280}})
    version = store.resource_version
    assert not store.set_status(key("wharf"), {"video": {"width": 1280}, "observedGeneration": 1})
    assert store.resource_version == version


def test_a_status_of_an_object_that_is_gone_writes_nothing(store: Store) -> None:
    assert not store.set_status(key("wharf"), {"observedGeneration": 1})


def test_a_status_of_another_form_is_refused(store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    with pytest.raises(Invalid, match=r"status\.observedGeneration"):
        store.set_status(key("wharf"), {"observedGeneration": "soon"})
    assert got(store, "wharf").status.observed_generation is None


def test_a_status_that_the_caller_changes_afterwards_is_not_changed_here(store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    status: dict[str, Any] = {"video": {"width": 1280}}
    store.set_status(key("wharf"), status)
    status["video"]["width"] = 640
    assert store.set_status(key("wharf"), status)


def test_applying_leaves_the_status_alone(store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    store.set_status(key("wharf"), {"observedGeneration": 1})
    store.apply(camera("wharf", stallAfter="5s"), manager="file")
    assert got(store, "wharf").status.observed_generation == 1


def test_a_conflict_changes_nothing_and_force_takes_over(store: Store) -> None:
    store.apply(camera("wharf", stallAfter="3s"), manager="file")
    with pytest.raises(Conflict) as refused:
        store.apply(camera("wharf", stallAfter="9s"), manager="studio")
    assert (refused.value.field, refused.value.owner) == ("spec.stallAfter", "file")
    assert got(store, "wharf").spec.stall_after == "3s"
    assert store.managers(key("wharf")).keys() == {"file"}
    store.apply(camera("wharf", stallAfter="9s"), manager="studio", force=True)
    assert got(store, "wharf").spec.stall_after == "9s"
    with pytest.raises(Conflict) as refused:
        store.apply(camera("wharf", stallAfter="3s"), manager="file")
    assert refused.value.owner == "studio"
    store.apply(camera("wharf"), manager="file")  # gives the field up
    assert got(store, "wharf").spec.stall_after == "9s"


def test_a_conflict_about_a_secret_names_the_key_and_not_the_value(store: Store) -> None:
    store.apply(secret("login", password="hunter2-file"), manager="file")
    with pytest.raises(Conflict) as refused:
        store.apply(secret("login", password="hunter2-studio"), manager="studio")
    assert refused.value.field == "data.password"
    assert "hunter2" not in refused.value.message


def test_a_field_given_up_by_its_last_owner_goes_back_to_its_default(store: Store) -> None:
    store.apply(camera("wharf", stallAfter="3s", backup="pier"), manager="file")
    store.apply(camera("wharf", stallAfter="3s"), manager="studio")
    store.apply(camera("wharf"), manager="file")
    spec = got(store, "wharf").spec
    assert (spec.stall_after, spec.backup) == ("3s", None)
    store.apply(camera("wharf"), manager="studio")
    assert got(store, "wharf").spec.stall_after == "2s"


def test_fields_of_two_managers_that_do_not_go_together_are_refused(store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    other = make("Camera", "wharf", {"source": {"url": "rtsp://10.0.0.2/live"}})
    with pytest.raises(Invalid, match=r"spec\.source: .*exactly one of"):
        store.apply(other, manager="studio")
    assert got(store, "wharf").spec.source.url is None


def test_the_owner_of_the_whole_is_the_first_that_still_applies_it(store: Store) -> None:
    assert store.owner(key("wharf")) is None
    store.apply(camera("wharf"), manager="file")
    store.apply(camera("wharf", stallAfter="3s"), manager="studio")
    assert store.owner(key("wharf")) == "file"
    assert not store.release(key("wharf"), manager="file")
    assert store.owner(key("wharf")) == "studio"
    assert store.release(key("wharf"), manager="studio")
    assert store.get(key("wharf")) is None


def test_an_object_without_a_field_has_an_owner_too(store: Store, path: Path) -> None:
    store.apply(make("Program", "main"), manager="file")
    store = reopened(store, path)
    assert store.owner(key("main", "Program")) == "file"
    store.close()


def test_a_maker_of_an_object_without_a_field_stays_its_owner_when_others_add_some(store: Store) -> None:
    store.apply(make("Program", "main"), manager="file")
    store.apply(make("Program", "main", {"timeline": "day"}), manager="studio")
    assert store.owner(key("main", "Program")) == "file"
    assert store.release(key("main", "Program"), manager="file") is False
    assert store.owner(key("main", "Program")) == "studio"


def test_releasing_keeps_values_that_the_rest_cannot_do_without(store: Store) -> None:
    store.apply(camera("wharf", backup="pier"), manager="file")
    partly = camera("wharf", stallAfter="3s")
    store.apply(partly, manager="studio")
    store.apply(camera("wharf"), manager="cli")
    store.release(key("wharf"), manager="file")
    assert got(store, "wharf").spec.backup is None
    assert got(store, "wharf").spec.source.test_pattern is not None


def test_only_the_owner_of_the_whole_deletes_unless_forced(store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    with pytest.raises(Conflict, match="belongs to file; delete it there"):
        store.delete(key("wharf"), manager="cli")
    assert store.delete(key("wharf"), manager="cli", force=True)
    assert not store.delete(key("wharf"), manager="cli")


def test_the_reverse_index_follows_the_references(store: Store, path: Path) -> None:
    cues = [{"camera": "wharf", "duration": "1s"}, {"camera": "wharf", "duration": "2s"}]
    store.apply(make("Timeline", "day", {"tracks": [{"name": "v", "video": cues}]}), manager="file")
    store.apply(camera("pier", backup="wharf"), manager="file")
    both = {key("day", "Timeline"), key("pier")}
    assert store.referrers(key("wharf")) == both  # though it does not exist
    store = reopened(store, path)
    assert store.referrers(key("wharf")) == both
    store.apply(camera("pier", backup="quay"), manager="file")
    assert store.referrers(key("wharf")) == {key("day", "Timeline")}
    assert store.referrers(key("quay")) == {key("pier")}
    store.delete(key("day", "Timeline"), manager="file")
    assert store.referrers(key("wharf")) == set()
    store.close()


def test_references_stay_in_their_namespace(store: Store) -> None:
    store.apply(
        make("Camera", "pier", {"source": {"testPattern": {}}, "backup": "wharf"}, namespace="north"),
        manager="file",
    )
    assert store.referrers(key("wharf")) == set()
    assert store.referrers(key("wharf", namespace="north")) == {key("pier", namespace="north")}


def test_lists_are_in_order_and_by_kind_and_namespace(store: Store) -> None:
    for name in ("wharf", "pier"):
        store.apply(camera(name), manager="file")
    store.apply(make("Program", "main"), manager="file")
    store.apply(make("Camera", "pier", {"source": {"testPattern": {}}}, namespace="north"), manager="file")
    resources, version = store.list()
    assert [str(resource.key) for resource in resources] == [
        "Camera default/pier",
        "Camera default/wharf",
        "Camera north/pier",
        "Program default/main",
    ]
    assert version == store.resource_version
    assert [resource.key for resource in store.list("Camera", "north")[0]] == [key("pier", namespace="north")]


def test_everything_is_there_after_a_restart(store: Store, path: Path) -> None:
    store.apply(camera("wharf", labels={"site": "north"}, stallAfter="3s"), manager="file")
    store.apply(camera("wharf", backup="pier"), manager="studio")
    store.apply(secret("login", password="pa ss"), manager="file")
    store.set_status(key("wharf"), {"observedGeneration": 1})
    before = [resource.dump() for resource in store.list()[0]]
    owners = store.managers(key("wharf"))
    store = reopened(store, path)
    assert [resource.dump() for resource in store.list()[0]] == before
    assert store.managers(key("wharf")) == owners
    store.close()


def test_a_line_that_moved_is_written_quietly(store: Store, path: Path) -> None:
    def at(line: str) -> Resource:
        return make("Program", "main", {}, annotations={SOURCE_LINE: line})

    store.apply(at("3"), manager="file")
    version = store.resource_version
    assert store.apply(at("9"), manager="file").change is Outcome.UNCHANGED
    assert store.resource_version == version
    store = reopened(store, path)
    assert got(store, "main", "Program").metadata.annotations == {SOURCE_LINE: "9"}
    store.close()


@pytest.mark.parametrize("manager", ["", "File", "a b", "x" * 64, "a/b"])
def test_managers_have_names(store: Store, manager: str) -> None:
    with pytest.raises(Invalid, match="is not a manager's name"):
        store.apply(camera("wharf"), manager=manager)


def test_names_that_were_not_checked_before_are_checked_here(store: Store) -> None:
    wharf = camera("wharf")
    metadata = wharf.metadata.model_copy(update={"name": "../../etc/passwd"})
    with pytest.raises(Invalid, match="is not a name"):
        store.apply(wharf.model_copy(update={"metadata": metadata}), manager="file")
    assert store.list()[0] == []


def test_a_deleted_secret_leaves_nothing_in_the_file(store: Store, path: Path) -> None:
    store.apply(secret("login", password="hunter2-planted"), manager="file")
    encoded = got(store, "login", "Secret").data["password"].encode()  # type: ignore[attr-defined]
    store = reopened(store, path)
    assert encoded in path.read_bytes()
    store.delete(key("login", "Secret"), manager="file")
    store.close()
    assert encoded not in path.read_bytes()


def test_values_of_secrets_are_masked_from_when_the_store_has_them(store: Store, path: Path) -> None:
    store.apply(secret("login", password="only-the-store-knows-it"), manager="file")
    assert redact("x only-the-store-knows-it y") == "x *** y"
    store.close()


@pytest.mark.slow
def test_thousands_of_statuses_do_not_make_the_file_grow(store: Store, path: Path) -> None:
    for number in range(20):
        store.apply(camera(f"camera-{number}"), manager="file")
    for number in range(2000):
        name = f"camera-{number % 20}"
        store.set_status(key(name), {"observedGeneration": number})
        store.record(NewEvent(key(name), "Seen", f"seen in {number % 7}"))
    total = sum(file.stat().st_size for file in path.parent.iterdir())
    assert total < 8_000_000  # 4 MB of it are the log, which is reused
    store.close()
    assert [file.name for file in path.parent.iterdir()] == ["store.sqlite3"]
    assert path.stat().st_size < 300_000


def test_deletions_are_remembered_in_bounds(path: Path) -> None:
    store = Store(path, remembered_deletions=10)
    with store.batch():
        for number in range(300):
            store.apply(camera(f"camera-{number}"), manager="file")
            store.delete(key(f"camera-{number}"), manager="file")
    assert len(store._deleted) == 10
    assert store._database.rows("SELECT count(*) FROM deleted") == [(10,)]
    store.close()


def test_an_object_that_is_no_longer_valid_is_left_out_and_can_be_applied_anew(
    store: Store, path: Path
) -> None:
    store.apply(camera("wharf"), manager="file")
    store.apply(camera("pier"), manager="file")
    store.set_status(key("pier"), {"observedGeneration": 1})
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(
        "UPDATE objects SET document = replace(document, 'source', 'sauce') WHERE name = 'wharf'"
    )
    connection.execute("UPDATE objects SET status = '{\"observedGeneration\": \"x\"}' WHERE name = 'pier'")
    connection.commit()
    connection.close()
    store = Store(path)
    assert [resource.key for resource in store.list()[0]] == [key("pier")]
    assert got(store, "pier").status.observed_generation is None
    assert store.apply(camera("wharf"), manager="file").change is Outcome.CREATED
    store = reopened(store, path)
    assert len(store.list()[0]) == 2
    store.close()


def test_closing_twice_is_fine(store: Store) -> None:
    store.close()
    store.close()


@pytest.mark.anyio
async def test_watched_events_come_as_they_happen(store: Store) -> None:
    seen: list[str] = []
    store.record(NewEvent(key("wharf"), "Seen", "one"))
    async with anyio.create_task_group() as group:

        async def follow() -> None:
            async with aclosing(store.watch_events(0, regarding=key("wharf"))) as events:
                async for event in events:
                    seen.append(event.message)
                    if len(seen) == 3:
                        return

        group.start_soon(follow)
        for message in ("two", "one"):
            await anyio.wait_all_tasks_blocked()
            store.record(NewEvent(key("pier"), "Seen", "elsewhere"))
            store.record(NewEvent(key("wharf"), "Seen", message))
    assert seen == ["one", "two", "one"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
