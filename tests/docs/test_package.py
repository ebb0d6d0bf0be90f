"""What ships, and that the docs tell the truth about it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT
from typer.main import get_command

import gpuplay
from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.cli import options
from gpuplay.cli.app import app
from gpuplay.kernel import COMMANDS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = [
    path
    for pattern in (
        "*.md",
        "*.toml",
        "Makefile",
        ".ci/*",
        "docs/*",
        "findings/*",
        "gpuplay/**/*",
        "kernels/**/*",
        "tests/**/*",
    )
    for path in sorted(ROOT.glob(pattern))
    if path.is_file() and "__pycache__" not in path.parts and path != Path(__file__)
]
TOP = {"pyproject.toml", "README.md", "LICENSE", "Makefile", "gpuplay", "kernels", "tests", "docs", "findings"}
LEFTOVERS = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|(?<![\w.])/(?:home|root|Users|work)/\w")
COMMAND = re.compile(r"^\$ (gpuplay .*)$", re.MULTILINE)


def fenced(text: str, language: str) -> Iterator[str]:
    """The code blocks of a page in one language."""
    yield from re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    blocks = (block for page in PAGES for block in fenced(page.read_text(encoding="utf-8"), "console"))
    return list(dict.fromkeys(command for block in blocks for command in COMMAND.findall(block)))


def spellings(kernel: str) -> set[str]:
    """All options of a kernel's command; of a file's, those that every kernel has."""
    if "/" in kernel:
        return {f"--{option.name.replace('_', '-')}" for option in options.COMMON} | {"--sizes", "--dtype", "--block"}
    declared = load_kernel(find_kernel(kernel)).kernel
    return {f"--{option.name.replace('_', '-')}" for option in options.of_kernel(declared)}


def test_the_licence_is_the_one_declared() -> None:
    assert PROJECT["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")


def test_types_are_announced_and_the_version_has_one_source() -> None:
    assert (ROOT / "gpuplay" / "py.typed").is_file()
    assert PROJECT["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", gpuplay.__version__)
    assert f"## {gpuplay.__version__}" in (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")


def test_the_base_needs_no_cuda_and_nothing_needs_a_peer_to_be_tested() -> None:
    extras = PROJECT["optional-dependencies"]
    assert not any("cuda" in name or "torch" in name for name in PROJECT["dependencies"])
    tested = [name for extra in ("cuda", "dev", "proofs") for name in extras[extra]]
    assert not any(name.startswith(("torch", "cupy")) for name in tested)
    assert "'.[cuda,dev,proofs]'" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_nothing_else_stands_at_the_top() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("no git checkout")
    tops = {name.split("/")[0] for name in tracked.stdout.splitlines()}
    assert {top for top in tops if not top.startswith(".")} <= TOP


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_holds_leftovers_or_paths_of_one_machine(path: Path) -> None:
    assert LEFTOVERS.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]*)(#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert target[0].startswith("https://") or not target[0] or (page.parent / target[0]).exists(), target[0]


@pytest.mark.parametrize("command", commands())
def test_a_command_in_the_docs_exists_with_its_options(command: str) -> None:
    words = shlex.split(command)[1:]
    kernel = words[1] if words[0] in ("run", "check", "explain", "code", "ladder") and len(words) > 1 else words[0]
    if words[0] in ("explain", "code", "ladder"):
        more = {"explain": {"--map"}, "code": {"--as", "--arch"}, "ladder": {"--diff"}}
        known = spellings(kernel) | more[words[0]]
    elif words[0] in COMMANDS:
        known = {spelling for option in get_command(app).commands[words[0]].params for spelling in option.opts}
    else:
        known = spellings(kernel)
    assert {word for word in words if word.startswith("--")} <= known


def test_the_makefile_has_the_targets_that_the_docs_name() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {name for page in PAGES for name in re.findall(r"^\$ make (\w+)", page.read_text("utf-8"), re.MULTILINE)}
    assert named
    assert named <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


def test_the_example_of_the_docs_checks(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "writing-kernels.md").read_text(encoding="utf-8")
    (tmp_path / "softsign.py").write_text(next(fenced(page, "python")), encoding="utf-8")
    command = [sys.executable, "-m", "gpuplay", "check", "./softsign.py", "--sizes", "1,33,129"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for variant in ("numpy:ufuncs", "cpu:scalar", "cpu:simd", "cpu:parallel", "cuda:one_each"):
        assert variant in done.stdout
