from __future__ import annotations

import re

import pytest

from vistterstream.resources.kinds import KINDS
from vistterstream.resources.manifests import load
from vistterstream.resources.reference import reference_files

PAGES = reference_files()


@pytest.mark.parametrize("name", [name for name in PAGES if name != "README.md"])
def test_the_example_of_a_page_is_a_good_manifest(name: str) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGES[name], re.DOTALL)
    assert examples
    for example in examples:
        loaded = load(example.encode(), name)
        assert loaded.errors == ()
        assert [located.resource.kind.lower() for located in loaded.objects] == [name.removesuffix(".md")]


def test_every_kind_has_a_page_and_the_index_leads_there() -> None:
    assert set(PAGES) == {"README.md", *(f"{info.singular}.md" for info in KINDS.values())}
    for info in KINDS.values():
        assert f"[{info.kind}]({info.singular}.md)" in PAGES["README.md"]


def test_links_lead_to_pages() -> None:
    for page in PAGES.values():
        for target in re.findall(r"\]\(([^)]+)\)", page):
            assert target in PAGES


def test_a_field_is_told_with_type_default_cost_and_meaning() -> None:
    assert (
        "| `stallAfter` | duration | `2s` | nothing: applied between two frames | When no new frame has come "
        "for this long, show the backup or the fallback. |"
    ) in PAGES["camera.md"]
    assert (
        "| `width` | whole number, 64 to 3840 | `1280` | the program's playout is replaced"
        in PAGES["program.md"]
    )
    assert "| `camera` | name of a [Camera](camera.md) | – |" in PAGES["timeline.md"]
    assert "| `transport` | `tcp`, `udp` | `tcp` | the camera's ingest is replaced" in PAGES["camera.md"]


def test_models_inside_have_sections_with_their_paths() -> None:
    assert "\n## spec.tracks[].video[].transition\n" in PAGES["timeline.md"]
    assert "\n## status.onAir.source\n" in PAGES["program.md"]


def test_tables_are_whole() -> None:
    for page in PAGES.values():
        for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(widths) == 1, table
