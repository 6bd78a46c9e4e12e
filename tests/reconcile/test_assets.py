from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from vistterstream.reconcile import assets
from vistterstream.reconcile.assets import Asset, Assets

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "logo.PNG").write_bytes(b"logo")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Assets:
    return Assets(tmp_path / "state" / "assets")


async def load(store: Assets, path: Path) -> Asset:
    return (await store.load([path]))[path]


async def test_an_image_is_copied_under_the_digest_of_its_content(store: Assets, images: Path) -> None:
    asset = await load(store, images / "logo.PNG")
    assert asset.copy == store.folder / f"{hashlib.sha256(b'logo').hexdigest()}.png"
    assert asset.copy.read_bytes() == b"logo"


async def test_the_same_content_is_kept_once(store: Assets, images: Path) -> None:
    (images / "again.png").write_bytes(b"logo")
    found = await store.load([images / "logo.PNG", images / "again.png"])
    assert len({asset.copy for asset in found.values()}) == 1


async def test_a_file_is_read_again_only_when_it_changed(
    store: Assets, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logo = images / "logo.PNG"
    first = await load(store, logo)
    stat = logo.stat()
    assert not await store.changed([logo])
    with logo.open("r+b") as file:  # other content, but nothing that says so
        file.write(b"LOGO")
    os.utime(logo, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert await load(store, logo) == first
    (images / "new.png").write_bytes(b"newer")
    (images / "new.png").rename(logo)
    assert await store.changed([logo])
    second = await load(store, logo)
    assert second.copy is not None
    assert second.copy.read_bytes() == b"newer"


async def test_a_copy_that_was_deleted_is_made_again(store: Assets, images: Path) -> None:
    first = await load(store, images / "logo.PNG")
    assert first.copy is not None
    first.copy.unlink()
    assert (await load(store, images / "logo.PNG")).copy == first.copy
    assert first.copy.exists()


async def test_what_cannot_be_read_is_a_sentence(
    store: Assets, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = await load(store, images / "none.png")
    assert missing.copy is None
    assert "none.png does not exist; put it there or change the manifest" in missing.problem
    folder = await load(store, images)
    assert "not a regular file" in folder.problem
    os.mkfifo(images / "pipe.png")
    assert "not a regular file" in (await load(store, images / "pipe.png")).problem
    monkeypatch.setattr(assets, "MAX_BYTES", 3)
    assert "is larger than" in (await load(store, images / "logo.PNG")).problem
    loop = images / "loop.png"
    loop.symlink_to(loop)
    assert "cannot be read" in (await load(store, loop)).problem
    assert "cannot be read" in (await load(store, images / "nul\0.png")).problem


async def test_a_file_that_appears_has_changed(store: Assets, images: Path) -> None:
    late = images / "late.png"
    await load(store, late)
    assert not await store.changed([late])
    late.write_bytes(b"here")
    assert await store.changed([late])
    assert (await load(store, late)).copy is not None


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_image_that_cannot_be_read_any_more_keeps_its_copy(
    store: Assets, images: Path, restarted: bool
) -> None:
    logo = images / "logo.PNG"
    good = (await load(store, logo)).copy
    assert good is not None
    os.utime(good, (1e9, 1e9))
    away = images.with_name("away")
    os.rename(images, away)
    assert restarted or await store.changed([logo])
    store = Assets(store.folder) if restarted else store
    lost = await load(store, logo)
    assert lost.copy == good
    assert (
        f"{logo} cannot be read any more (No such file or directory); the copy of 2001-09-0" in lost.problem
    )
    assert not await store.changed([logo]), "nothing changes while it is away"
    assert await load(store, logo) == lost
    os.rename(away, images)
    assert await store.changed([logo])
    assert await load(store, logo) == Asset(good)


async def test_a_lost_image_whose_copy_is_gone_too_is_missing(store: Assets, images: Path) -> None:
    logo = images / "logo.PNG"
    good = (await load(store, logo)).copy
    assert good is not None
    os.utime(good, (0, 0))
    assert store.collect([]) == [good]
    good.write_bytes(b"of another")
    logo.unlink()
    for assets_ in (store, Assets(store.folder)):
        assert (await load(assets_, logo)).copy is None, "what was collected is not spoken for any more"


@pytest.mark.parametrize("nonsense", [b"", b"[]", b"{", b'{"/logo.png": 3}', b"\xff"])
async def test_an_index_of_nonsense_is_none(store: Assets, images: Path, nonsense: bytes) -> None:
    index = store.folder.with_name("assets.json")
    index.parent.mkdir()
    index.write_bytes(nonsense)
    fresh = Assets(store.folder)
    assert (await load(fresh, Path("/logo.png"))).copy is None
    assert (await load(fresh, images / "logo.PNG")).copy is not None


async def test_an_index_that_cannot_be_written_is_remembered(
    store: Assets, images: Path, log: io.StringIO
) -> None:
    store.folder.with_name("assets.json").mkdir(parents=True)
    good = await load(store, images / "logo.PNG")
    (images / "logo.PNG").unlink()
    assert (await load(store, images / "logo.PNG")).copy == good.copy
    assert "could not be written down" in log.getvalue()


async def test_old_copies_that_nobody_names_are_deleted(store: Assets, images: Path) -> None:
    assert store.collect([]) == [], "there is no folder yet"
    asset = await load(store, images / "logo.PNG")
    assert asset.copy is not None
    assert store.collect([]) == [], "a new copy is about to be named"
    os.utime(asset.copy, (0, 0))
    assert store.collect([asset.copy.name]) == []
    assert store.collect([]) == [asset.copy]
    assert not asset.copy.exists()
    assert (await load(store, images / "logo.PNG")).copy == asset.copy
    assert asset.copy.exists()


async def test_a_copy_that_is_spoken_for_again_counts_as_new(store: Assets, images: Path) -> None:
    asset = await load(store, images / "logo.PNG")
    assert asset.copy is not None
    os.utime(asset.copy, (0, 0))
    fresh = Assets(store.folder)
    await load(fresh, images / "logo.PNG")
    assert fresh.collect([]) == []
