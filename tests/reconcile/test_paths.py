from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.objects import apply, image_overlay, make, program, recording, timeline
from vistterstream.reconcile.assets import Asset
from vistterstream.reconcile.gather import gather
from vistterstream.reconcile.paths import Paths, absolute, clips, folder_name, images, missing, missing_clips
from vistterstream.resources.kinds import Output, Program
from vistterstream.store.store import Store
from vistterstream.timeline.compile import AssetKind

STATE = Path("/var/lib/vistter")
FROM_FILE = {"annotations": {"stream.vistter.io/source-file": "/etc/vistter/main.yaml"}}


def test_a_relative_path_starts_at_the_folder_of_the_manifest() -> None:
    overlay = image_overlay("logo", "img/logo.png", **FROM_FILE)
    assert absolute(STATE, overlay, "img/logo.png") == Path("/etc/vistter/img/logo.png")
    assert absolute(STATE, overlay, "/srv/logo.png") == Path("/srv/logo.png")


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("../rec", "/etc/rec"),
        ("./../x/../rec/", "/etc/rec"),
        ("/srv/a/../b", "/srv/b"),
        (".", "/etc/vistter"),
    ],
)
def test_a_path_passes_through_no_folder_that_it_only_leaves(path: str, file: str) -> None:
    """``/etc/vistter/../rec`` would be gone with ``/etc/vistter``."""
    overlay = image_overlay("logo", path, **FROM_FILE)
    assert str(absolute(STATE, overlay, path)) == file
    for kind in AssetKind:
        assert Paths(STATE, {}).resolve(overlay, path, kind) == file


def test_a_path_stays_beside_a_folder_of_manifests_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "releases" / "1").mkdir(parents=True)
    (tmp_path / "air").symlink_to("releases/1")
    source = {"annotations": {"stream.vistter.io/source-file": f"{tmp_path}/air/main.yaml"}}
    assert absolute(STATE, image_overlay("logo", "x", **source), "../rec") == tmp_path / "rec"


def test_without_a_manifest_it_starts_at_the_state_folder() -> None:
    assert absolute(STATE, image_overlay("logo", "logo.png"), "logo.png") == STATE / "logo.png"


def test_an_image_leads_to_its_copy_and_other_files_to_themselves() -> None:
    overlay = image_overlay("logo", "logo.png", **FROM_FILE)
    copy = STATE / "assets" / "abc.png"
    paths = Paths(STATE, {Path("/etc/vistter/logo.png"): Asset(copy)})
    assert paths.resolve(overlay, "logo.png", AssetKind.IMAGE) == str(copy)
    assert paths.resolve(overlay, "logo.png", AssetKind.MEDIA) == "/etc/vistter/logo.png"
    assert paths.resolve(overlay, "other.png", AssetKind.IMAGE) == "/etc/vistter/other.png"


def test_folders_of_targets_carry_the_namespace_where_it_is_another() -> None:
    assert folder_name("default", "tape") == "tape"
    assert folder_name("north", "tape") == "tape@north"


@given(st.text(min_size=1, max_size=63).filter(lambda text: "\0" not in text))
def test_no_name_of_a_target_leads_out_of_the_outputs_folder(name: str) -> None:
    output = recording("tape", "main")
    assert isinstance(output, Output)
    target = output.spec.targets[0].model_copy(update={"name": name})
    folder = Path(Paths(STATE, {}).recording_folder(output, target))
    assert folder.parent == STATE / "recordings" / "tape"
    assert folder.name not in ("", ".", "..")


@given(st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=2, unique=True))
def test_two_targets_never_share_a_folder(names: list[str]) -> None:
    output = recording("tape", "main")
    assert isinstance(output, Output)
    one, other = (
        Paths(STATE, {}).hls_folder(output, output.spec.targets[0].model_copy(update={"name": name}))
        for name in names
    )
    assert one != other


def test_all_images_of_a_program_are_found_and_the_missing_ones_told(store: Store) -> None:
    main = make("Program", "main", {"timeline": "day", "fallback": {"image": "slate.png"}}, **FROM_FILE)
    assert isinstance(main, Program)
    apply(
        store,
        main,
        image_overlay("logo", "logo.png", **FROM_FILE),
        timeline("day", "wharf", overlays=("logo",)),
        program("other"),
    )
    found = list(images(STATE, gather(store, main)))
    assert [(str(one.resource.key), one.path, str(one.file)) for one in found] == [
        ("Program default/main", "spec.fallback.image", "/etc/vistter/slate.png"),
        ("Overlay default/logo", "spec.layers[0].image.file", "/etc/vistter/logo.png"),
    ]
    copies = {
        Path("/etc/vistter/slate.png"): Asset(STATE / "assets" / "a.png"),
        Path("/etc/vistter/logo.png"): Asset(None, "it is not there"),
    }
    paths = Paths(STATE, copies)
    assert paths.originals == {str(STATE / "assets" / "a.png"): "/etc/vistter/slate.png"}
    assert [paths.shown(one).played for one in found] == [
        str(STATE / "assets" / "a.png"),
        "/etc/vistter/logo.png",
    ]
    (problem,) = missing(iter(found), copies)
    assert (problem.reason, problem.message) == ("ImageMissing", "spec.layers[0].image.file: it is not there")


def test_a_clip_that_is_missing_is_told_with_its_cue(store: Store) -> None:
    cue = {"file": {"path": "opener.mp4"}, "duration": "5s"}
    spec = {"tracks": [{"name": "v", "video": [cue, {"slate": {}, "duration": "1s"}, cue]}]}
    day, main = make("Timeline", "day", spec, **FROM_FILE), program("main", timeline="day")
    assert isinstance(main, Program)
    apply(store, main, day)
    found = list(clips(STATE, gather(store, main)))
    assert [one.path for one in found] == [f"spec.tracks[0].video[{n}].file.path" for n in (0, 2)]
    file = Path("/etc/vistter/opener.mp4")
    assert {one.file for one in found} == {file}
    assert list(missing_clips(found, {file})) == []
    first, _ = missing_clips(found, ())
    assert (first.key, first.reason) == (day.key, "ClipMissing")
    assert str(file) in first.message


@pytest.mark.parametrize("name", [".", "..", "...", "a/b", "../x"])
def test_names_that_are_paths_become_plain_names(name: str) -> None:
    output = recording("tape", "main")
    assert isinstance(output, Output)
    target = output.spec.targets[0].model_copy(update={"name": name})
    assert Path(Paths(STATE, {}).hls_folder(output, target)).parent == STATE / "hls" / "tape"
