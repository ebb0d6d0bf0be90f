"""The map of the project: pages that name files name files that exist, and say of commands what these say."""

from __future__ import annotations

import re

import pytest
from command import Gpuplay
from helps import COMMANDS, PAGE, said
from places import DOCS, ROOT

from gpuplay.views.listing import TRY

FILE = re.compile(r"`((?:[\w.]+/)+(?:[\w.]+)?|[\w/]+\.(?:py|md|json))`")


def named(page: str) -> list[str]:
    """Files and folders that a page names in full; of those named within a folder, where the page says so."""
    return list(dict.fromkeys(FILE.findall((DOCS / page).read_text(encoding="utf-8"))))


def found(path: str) -> bool:
    """Whether a named file or folder is there: from the top, in the package, or in a room that the text is about."""
    if "NAME" in path:
        return True
    homes = (ROOT, ROOT / "gpuplay", ROOT / "gpuplay" / "lockstep")
    return any((home / path).exists() for home in homes) or ("/" not in path and any(ROOT.glob(f"gpuplay/**/{path}")))


@pytest.mark.parametrize("path", named("errands.md"))
def test_a_file_of_an_errand_exists(path: str) -> None:
    exact = (ROOT / path).exists() or "NAME" in path
    assert exact or path in ("problem.py", "cpu.py", "cuda/")


@pytest.mark.parametrize("path", named("architecture.md"))
def test_a_file_that_the_architecture_names_exists(path: str) -> None:
    assert found(path) or path in ("problem.py", "cpu.py", "cuda/", "gpuplay/kernels")


def test_every_page_is_on_the_map() -> None:
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([\w/.-]+)\)", text))
    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} <= linked


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command or "gpuplay")
def test_the_page_of_commands_says_what_a_command_says(command: str) -> None:
    title = f"## `{f'gpuplay {command}'.strip()}`"
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"{title}\n\n```\n")
    assert rest.partition("\n```\n")[0].split() == said(command).split(), "python tests/helps.py writes the page anew"


@pytest.mark.parametrize("command", [command for command, _ in TRY if "new" not in command and "doctor" not in command])
def test_what_a_bare_gpuplay_suggests_can_be_typed(gpuplay: Gpuplay, command: str) -> None:
    done = gpuplay(*command.split()[1:], "--plan")
    assert done.code == 0, done.err
