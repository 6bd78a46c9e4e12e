"""What the documentation says can be done as it says: manifests, links, commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer.core
import typer.main

from cli.commands import vistter
from vistterstream.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "tests").glob("*.md"),
    ]
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
INLINE = re.compile(r"`([^`\n]+)`")
COMMANDS = typer.main.get_command(app)


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    text = FENCED.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCED.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        there = page.parent / path if path else page
        assert there.exists(), f"{link}: there is no {there}"
        if anchor and there.suffix == ".md":
            assert anchor in _anchors(there), f"{link}: {path or _name(page)} has no heading #{anchor}"


def _commands(text: str) -> Iterator[list[str]]:
    """The words of each ``vistter …`` in code, after that word."""
    code = [line for _, block in FENCED.findall(text) for line in block.splitlines()]
    code += INLINE.findall(FENCED.sub("", text))
    for line in code:
        found = re.match(r"(?:\$ |# )?(?:\S*/)?vistter (\S.*)", line.strip())
        if found is not None:
            yield shlex.split(found[1].replace("\\", ""), comments=True)


def _unknown(words: list[str]) -> Iterator[str]:
    """The command, or those of its options, that do not exist."""
    assert isinstance(COMMANDS, typer.core.TyperGroup)
    first, *rest = words
    if first.startswith("-"):
        return
    command = COMMANDS.commands.get(first)
    if command is None:
        yield first
        return
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
    for word in rest:
        option = word.partition("=")[0]
        if re.fullmatch(r"--?[a-z][a-z-]*", option) and option not in known:
            yield f"{first} {option}"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_command_and_option_that_is_named_exists(page: Path) -> None:
    unknown = [word for words in _commands(page.read_text()) if words for word in _unknown(words)]
    assert unknown == []


def test_commands_are_found_and_looked_at() -> None:
    text = "`vistter rendr x`, `vistter render x --form y`\n```\n$ .venv/bin/vistter stop --now # yes\n```\n"
    found = [word for words in _commands(text) for word in _unknown(words)]
    assert sorted(found) == ["render --form", "rendr", "stop --now"]
    assert sum(1 for page in PAGES for _ in _commands(page.read_text())) > 40


@pytest.mark.slow
def test_the_first_manifest_of_the_readme_is_valid_and_shown_as_it_is_printed(tmp_path: Path) -> None:
    _, _, section = (ROOT / "README.md").read_text().partition("## The first manifest\n")
    language, block = FENCED.findall(section)[0]
    assert language == "yaml"
    air = tmp_path / "air"
    air.mkdir()
    (air / "first.yaml").write_text(block)
    done = vistter("validate", air)
    assert (done.returncode, done.stderr.endswith("all good.\n")) == (0, True), done.stdout + done.stderr
    arguments = ["render", "all-day", "-m", str(air), "--frames", "3", "--strict", "-o", "a.mp4"]
    done = vistter(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.mp4").stat().st_size > 0
