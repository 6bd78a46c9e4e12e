"""All on a virtual clock: the time is a number that the tests hand in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from store.objects import key
from vistterstream.resources.kinds import Key
from vistterstream.sources.ledger import Absences, Claims, Duplicate, Graces, Roots, assign
from vistterstream.sources.scan import Scan, Signature

ROOT = Path("/manifests")
A, B, C = ROOT / "a.yaml", ROOT / "b.yaml", ROOT / "sub/c.yaml"
GRACES = Graces(removed=0.25, emptied=2, settled=2)
WHARF, PIER = key("wharf"), key("pier")


def claims(file: Path, *keys: Key, keeps: frozenset[Key] = frozenset()) -> Claims:
    return Claims(file, frozenset(keys), keeps)


def scanned(
    *files: Path, device: int = 1, inode: int = 1, unreadable: Mapping[Path, str] | None = None
) -> Scan:
    return Scan(
        manifests={file: Signature(device, hash(file), 1, 1, 1) for file in files},
        folders={ROOT: (device, inode)},
        unreadable=dict(unreadable or {}),
    )


def gone(*unreadable: Path, why: str = "gone") -> Scan:
    return Scan(unreadable=dict.fromkeys(unreadable, why))


class Bench:
    """A root, looked at as the source does, with an object of `A` and whatever else is known."""

    def __init__(self, *paths: Path, keep_unnamed: bool = False) -> None:
        self.roots = Roots(paths or (ROOT,), GRACES, keep_unnamed=keep_unnamed)
        self.absences = Absences(GRACES)

    def look(
        self,
        scan: Scan,
        now: float,
        known: Mapping[Path, int],
        missing: Mapping[Key, Path],
        emptied: tuple[Path, ...] = (),
    ) -> tuple[set[Key], float | None]:
        self.roots.look(scan, known, now)
        return self.absences.judge(missing, emptied, self.roots, now)

    def settle(self, scan: Scan, known: Mapping[Path, int]) -> None:
        for now in (-10.0, -5.0):
            assert self.look(scan, now, known, {}) == (set(), None)


def test_an_object_comes_from_the_file_that_defines_it() -> None:
    assert assign([claims(A, WHARF), claims(B, PIER)], {}) == ({WHARF: A, PIER: B}, [])


def test_of_two_files_the_first_by_path_has_it_and_the_other_is_told() -> None:
    assigned, duplicates = assign([claims(B, WHARF), claims(A, WHARF)], {})
    assert assigned == {WHARF: A}
    assert duplicates == [Duplicate(WHARF, B, A)]


def test_a_copy_beside_it_does_not_take_an_object_over() -> None:
    assigned, duplicates = assign([claims(A, WHARF), claims(B, WHARF)], {WHARF: B})
    assert assigned == {WHARF: B}
    assert duplicates == [Duplicate(WHARF, A, B)]


def test_an_object_moves_when_its_file_no_longer_defines_it() -> None:
    assert assign([claims(A), claims(B, WHARF)], {WHARF: A}) == ({WHARF: B}, [])


def test_a_broken_file_holds_on_to_its_objects_against_copies() -> None:
    broken = claims(A, keeps=frozenset({WHARF}))
    assert assign([broken, claims(B, WHARF)], {WHARF: A}) == ({WHARF: A}, [Duplicate(WHARF, B, A)])


def test_a_broken_file_does_not_take_what_a_good_one_defines() -> None:
    broken = claims(A, keeps=frozenset({WHARF}))
    assert assign([broken, claims(B, WHARF)], {WHARF: B}) == ({WHARF: B}, [])


def test_a_removed_file_counts_after_a_moment() -> None:
    bench = Bench()
    bench.settle(scanned(A, B), {A: 1, B: 1})
    known = {A: 1, B: 1}
    assert bench.look(scanned(B), 0, known, {WHARF: A}) == (set(), 0.25)
    assert bench.look(scanned(B), 0.2, known, {WHARF: A}) == (set(), 0.25)
    assert bench.look(scanned(B), 0.25, known, {WHARF: A}) == ({WHARF}, None)


def test_a_file_that_comes_back_within_the_moment_starts_it_anew() -> None:
    bench = Bench()
    known = {A: 1, B: 1}
    bench.settle(scanned(A, B), known)
    bench.look(scanned(B), 0, known, {WHARF: A})
    bench.look(scanned(A, B), 0.1, known, {})
    assert bench.look(scanned(B), 0.3, known, {WHARF: A}) == (set(), 0.55)


def test_an_emptied_file_counts_after_longer() -> None:
    bench = Bench()
    bench.settle(scanned(A, B), {A: 1})
    assert bench.look(scanned(A, B), 0, {A: 1}, {WHARF: A}, (A,)) == (set(), 2)
    assert bench.look(scanned(A, B), 2, {A: 1}, {WHARF: A}, (A,)) == ({WHARF}, None)


def test_a_folder_that_is_gone_removes_nothing_ever() -> None:
    bench = Bench()
    bench.settle(scanned(A), {A: 1})
    assert bench.look(gone(ROOT), 0, {A: 1}, {WHARF: A}) == (set(), None)
    assert bench.look(gone(ROOT), 1e9, {A: 1}, {WHARF: A}) == (set(), None)
    assert bench.roots.troubles == {ROOT: "/manifests is gone; 1 object from there stays in force."}


def test_a_folder_that_never_held_anything_is_not_called_gone() -> None:
    bench = Bench()
    bench.look(gone(ROOT), 0, {}, {})
    assert bench.roots.troubles == {ROOT: "/manifests does not exist; no objects come from there."}


def test_an_empty_folder_removes_nothing_ever_and_says_how_to() -> None:
    bench = Bench()
    bench.settle(scanned(A), {A: 2})
    for now in (0, 1e9):
        assert bench.look(scanned(), now, {A: 2}, {WHARF: A, PIER: A}) == (set(), None)
    assert bench.roots.troubles[ROOT].startswith(
        "/manifests has no manifests any more; 2 objects from there stay in force. To take them off"
    )


def test_an_empty_folder_that_nothing_came_from_is_no_trouble() -> None:
    bench = Bench()
    bench.settle(scanned(), {})
    assert bench.roots.troubles == {}


def test_it_is_the_same_at_a_start() -> None:
    for scan in (gone(ROOT), scanned()):
        bench = Bench()
        assert bench.look(scan, 0, {A: 1}, {WHARF: A}) == (set(), None)
        assert bench.look(scan, 1000, {A: 1}, {WHARF: A}) == (set(), None)


def test_a_folder_that_is_filled_again_file_by_file_is_given_time() -> None:
    bench = Bench()
    known = {A: 1, B: 1}
    bench.settle(scanned(A, B), known)
    both = {WHARF: A, PIER: B}
    bench.look(scanned(inode=2), 100, known, both)
    assert bench.look(scanned(A, inode=2), 101, known, {PIER: B}) == (set(), 103)
    assert bench.look(scanned(A, C, inode=2), 102.5, known, {PIER: B}) == (set(), 104.5)
    assert bench.look(scanned(A, B, C, inode=2), 104, known, {}) == (set(), None)
    assert bench.look(scanned(A, C, inode=2), 107, known, {PIER: B}) == (set(), 107.25)


def test_a_folder_that_never_comes_to_rest_settles_all_the_same() -> None:
    bench = Bench()
    for second in range(40):
        files = [A, ROOT / f"{second}.yaml"]
        if bench.look(scanned(*files), second, {A: 1}, {PIER: B})[0]:
            break
    assert 30 <= second <= 33


def test_files_removed_while_the_controller_was_off_go_once_the_folder_has_settled() -> None:
    bench = Bench()
    assert bench.look(scanned(A), 0, {A: 1, B: 1}, {PIER: B}) == (set(), 2)
    assert bench.look(scanned(A), 2, {A: 1, B: 1}, {PIER: B}) == ({PIER}, None)


def test_a_folder_on_another_file_system_removes_nothing_until_all_is_there_again() -> None:
    bench = Bench()
    known = {A: 1, B: 1}
    bench.settle(scanned(A, B), known)
    for now in (0, 1000):
        assert bench.look(scanned(A, device=2), now, known, {PIER: B}) == (set(), None)
    assert "is on another file system than before" in bench.roots.troubles[ROOT]
    assert "1 object from there stays in force" in bench.roots.troubles[ROOT]
    bench.look(scanned(A, B, device=2), 1001, known, {})
    assert bench.roots.troubles == {}
    assert bench.look(scanned(A, device=2), 1005, known, {PIER: B})[0] == set()
    assert bench.look(scanned(A, device=2), 1006, known, {PIER: B}) == ({PIER}, None)


def test_a_mount_inside_the_folder_that_went_removes_nothing() -> None:
    bench = Bench()
    sub = ROOT / "sub"

    def scan(device: int, *files: Path) -> Scan:
        found = scanned(*files)
        found.folders[sub] = (device, 7)
        return found

    bench.settle(scan(2, A, C), {A: 1, C: 1})
    assert bench.look(scan(1, A), 0, {A: 1, C: 1}, {PIER: C}) == (set(), None)
    assert bench.look(scan(1, A), 1000, {A: 1, C: 1}, {PIER: C}) == (set(), None)
    assert sub in bench.roots.troubles


def test_a_part_of_the_folder_that_cannot_be_read_keeps_its_objects_and_no_others() -> None:
    bench = Bench()
    bench.settle(scanned(A, B, C), {A: 1, C: 1})
    scan = scanned(B, unreadable={ROOT / "sub": "not readable (Permission denied)"})
    bench.look(scan, 0, {A: 1, C: 1}, {WHARF: A, PIER: C})
    assert bench.look(scan, 1, {A: 1, C: 1}, {WHARF: A, PIER: C}) == ({WHARF}, None)
    assert bench.roots.troubles == {
        ROOT
        / "sub": "/manifests/sub is not readable (Permission denied); 1 object from there stays in force."
    }


def test_a_dangling_link_that_matters_to_nobody_is_no_trouble() -> None:
    bench = Bench()
    bench.settle(scanned(A, unreadable={ROOT / "notes.txt": "gone"}), {A: 1})
    assert bench.roots.troubles == {}


def test_objects_of_folders_that_are_no_longer_given_go_when_all_given_ones_are_well() -> None:
    other, foreign = Path("/others"), Path("/before/x.yaml")
    bench = Bench(ROOT, other)
    ill = Scan(manifests=scanned(A).manifests, folders={ROOT: (1, 1)}, unreadable={other: "gone"})
    known = {A: 1, foreign: 1}
    assert bench.look(ill, 0, known, {WHARF: foreign}) == (set(), None)
    assert bench.look(ill, 1000, known, {WHARF: foreign}) == (set(), None)
    well = Scan(manifests=ill.manifests, folders={ROOT: (1, 1), other: (1, 2)})
    due = bench.look(well, 1001, known, {WHARF: foreign})[1]
    assert due is not None
    assert bench.look(well, due + 3, known, {WHARF: foreign}) == ({WHARF}, None)


def test_objects_of_folders_that_are_no_longer_given_stay_where_they_are_to_be_kept_and_are_told() -> None:
    foreign, near = Path("/before/x.yaml"), Path("/near.yaml")
    bench = Bench(keep_unnamed=True)
    known, missing = {A: 1, foreign: 3, near: 1}, {WHARF: foreign, PIER: near}
    bench.settle(scanned(A), known)
    assert bench.look(scanned(A), 0, known, missing) == (set(), None)
    assert bench.look(scanned(A), 1000, known, missing) == (set(), None)
    assert bench.roots.unnamed.keys() == {Path("/before"), Path("/")}
    assert "/before was not named at this start" in bench.roots.unnamed[Path("/before")]
    assert "3 objects from there stay in force" in bench.roots.unnamed[Path("/before")]
    assert bench.roots.troubles == {}
    # What is named is followed as ever, also beside what is not.
    assert bench.look(scanned(A, B), 1001, known, {**missing, key("gull"): B}) == (set(), 1001.25)
    assert bench.look(scanned(A, B), 1002, known, {**missing, key("gull"): B})[0] == {key("gull")}


def test_a_single_file_that_is_gone_removes_nothing_and_settles_when_it_is_back() -> None:
    bench = Bench(A)
    there = Scan(manifests=scanned(A).manifests)
    bench.settle(there, {A: 1})
    assert bench.look(gone(A), 0, {A: 1}, {WHARF: A}) == (set(), None)
    assert bench.look(gone(A), 1000, {A: 1}, {WHARF: A}) == (set(), None)
    assert bench.look(there, 1001, {A: 2}, {PIER: A}) == (set(), 1003)
    assert bench.look(there, 1003, {A: 2}, {PIER: A}) == ({PIER}, None)
