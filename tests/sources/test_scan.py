from __future__ import annotations

import os
from pathlib import Path

import pytest

from sources.unprivileged import unprivileged
from vistterstream.sources.scan import Scan, ignored, is_manifest, scan


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "name",
    [".hidden.yaml", ".a.yaml.swp", "a.yaml~", "#a.yaml#", "a.yaml.tmp", "a.yaml.bak", "~a.yaml", "..data"],
)
def test_what_editors_leave_beside_a_file_is_ignored(name: str) -> None:
    assert ignored(name)


@pytest.mark.parametrize(
    "name", [".#a.yaml", "4913", "a.yaml___jb_tmp___", ".goutputstream-X2", "a.yaml.orig", ".a.yaml.Xy3"]
)
def test_what_tools_leave_beside_a_file_is_ignored(name: str) -> None:
    assert ignored(name)


@pytest.mark.parametrize("name", ["a.yaml", "b.yml", "with space.yaml", "ünïcode.yml", "a.b.yaml"])
def test_manifests_are_told_by_their_names(name: str) -> None:
    assert is_manifest(Path(name))


@pytest.mark.parametrize("name", ["a.json", "yaml", "logo.png", "a.yaml.d", "a.YAML~"])
def test_other_files_are_no_manifests(name: str) -> None:
    assert not is_manifest(Path(name))


def test_folders_are_looked_at_with_all_that_is_in_them(tmp_path: Path) -> None:
    wanted = {write(tmp_path / "a.yaml"), write(tmp_path / "deep/er/b.yml")}
    logo = write(tmp_path / "deep/logo.png")
    write(tmp_path / ".git/c.yaml")
    write(tmp_path / "d.yaml~")
    found = scan([tmp_path])
    assert set(found.manifests) == wanted
    assert set(found.others) == {logo}
    assert set(found.folders) == {tmp_path, tmp_path / "deep", tmp_path / "deep/er"}
    assert found.unreadable == {}


def test_a_root_may_be_a_single_file(tmp_path: Path) -> None:
    one = write(tmp_path / "one.yaml")
    write(tmp_path / "two.yaml")
    found = scan([one])
    assert set(found.manifests) == {one}
    assert set(found.parents) == {tmp_path}


def test_a_root_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    found = scan([tmp_path / "gone", tmp_path])
    assert found.unreadable == {tmp_path / "gone": "gone"}
    assert tmp_path in found.folders


def test_the_signature_changes_with_the_content_and_with_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", "one")

    def signature() -> object:
        return scan([tmp_path]).manifests[path]

    first = signature()
    assert signature() == first
    path.write_text("two, longer")
    second = signature()
    other = write(tmp_path / "other", "two, longer")
    status = path.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)
    assert len({first, second, signature()}) == 3


def test_a_mounted_config_map_is_read_once_by_its_plain_names(tmp_path: Path) -> None:
    data = tmp_path / "..2026_05_17"
    write(data / "a.yaml")
    (tmp_path / "..data").symlink_to(data.name)
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    assert set(scan([tmp_path]).manifests) == {tmp_path / "a.yaml"}


def test_links_to_folders_are_followed_and_circles_end(tmp_path: Path) -> None:
    root = tmp_path / "root"
    elsewhere = write(tmp_path / "elsewhere/b.yaml").parent
    write(root / "sub/a.yaml")
    (root / "link").symlink_to(elsewhere)
    (root / "sub/up").symlink_to(root)
    (root / "aaa").symlink_to(root / "sub")
    assert set(scan([root]).manifests) == {root / "sub/a.yaml", root / "link/b.yaml"}


def test_what_has_a_name_that_is_not_utf_8_is_unreadable_and_told_with_a_name_that_is(tmp_path: Path) -> None:
    write(tmp_path / os.fsdecode(b"a\xff.yaml"))
    found = scan([tmp_path])
    assert found.manifests == {}
    assert found.unreadable == {
        tmp_path / "a\\udcff.yaml": "not readable (its name is not UTF-8; give it another)"
    }


def test_a_link_to_nothing_is_unreadable_and_not_gone(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("missing")
    assert scan([tmp_path]).unreadable == {tmp_path / "a.yaml": "gone"}


def test_a_root_that_cannot_be_opened_is_told_with_the_reason(tmp_path: Path) -> None:
    root = tmp_path / "loop"
    root.symlink_to("loop")
    assert scan([root]).unreadable == {root: "not readable (Too many levels of symbolic links)"}


def test_a_folder_that_must_not_be_read_is_told() -> None:
    with unprivileged() as root:
        folder = write(root / "sub/a.yaml").parent
        write(root / "b.yaml")
        folder.chmod(0)
        found = scan([root])
        assert found.unreadable == {folder: "not readable (Permission denied)"}
        assert set(found.manifests) == {root / "b.yaml"}
        folder.chmod(0o700)


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "a.yaml"
    os.mkfifo(pipe)
    found = scan([tmp_path])
    assert found.manifests == {}
    assert found.unreadable == {pipe: "neither a file nor a folder"}
    assert scan([pipe]).unreadable == {pipe: "neither a file nor a folder"}


def test_a_root_inside_another_is_looked_at_once(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.yaml"), write(tmp_path / "sub/b.yaml")
    assert set(scan([tmp_path, tmp_path / "sub"]).manifests) == {a, b}


def test_nothing_to_look_at_is_nothing(tmp_path: Path) -> None:
    assert scan([]) == Scan()
