from __future__ import annotations

from reconcile.objects import apply, camera, program, recording, text_overlay, timeline
from vistterstream.reconcile.gather import gather
from vistterstream.resources.kinds import Program
from vistterstream.store.store import Store


def main(timeline: str | None = "day") -> Program:
    found = program("main", timeline)
    assert isinstance(found, Program)
    return found


def test_everything_a_program_is_made_of_is_found_backups_of_backups_included(store: Store) -> None:
    apply(
        store,
        camera("wharf", backup="pier"),
        camera("pier", backup="tower"),
        camera("tower", backup="wharf"),
        camera("elsewhere"),
        text_overlay("title"),
        text_overlay("other"),
        timeline("day", "wharf", overlays=("title",)),
        main(),
        recording("tape", "main"),
        recording("other", "second"),
    )
    inputs = gather(store, main())
    assert sorted(inputs.cameras) == ["pier", "tower", "wharf"]
    assert list(inputs.overlays) == ["title"]
    assert [output.metadata.name for output in inputs.outputs] == ["tape"]
    assert inputs.timeline is not None
    assert sorted(str(resource.key) for resource in inputs.objects()) == [
        "Camera default/pier",
        "Camera default/tower",
        "Camera default/wharf",
        "Output default/tape",
        "Overlay default/title",
        "Program default/main",
        "Timeline default/day",
    ]


def test_what_does_not_exist_is_left_out(store: Store) -> None:
    apply(store, timeline("day", "wharf", overlays=("title",)), main())
    inputs = gather(store, main())
    assert (inputs.cameras, inputs.overlays, inputs.outputs) == ({}, {}, ())
    assert gather(store, main("night")).timeline is None
    assert gather(store, main(None)).timeline is None
