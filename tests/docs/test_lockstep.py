"""The bugs worked through in docs/lockstep.md: each file, saved and checked as it stands, gives what the page shows."""

import re

import pytest
from places import DOCS

PAGE = (DOCS / "lockstep.md").read_text()
WORKED = re.findall(r"```python\n(.*?)```\s+```\n\$ gpuplay check \./(\w+\.py)\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_works_three_bugs_through():
    assert [name for _, name, _ in WORKED] == ["reverse.py", "blur.py", "total.py"]


@pytest.mark.parametrize(("source", "name", "shown"), WORKED, ids=[name for _, name, _ in WORKED])
def test_a_bug_gives_what_the_page_shows(gpuplay, tmp_path, source, name, shown):
    (tmp_path / name).write_text(source)
    done = gpuplay("check", f"./{name}", folder=tmp_path)
    assert done.code == 1
    assert " ".join(shown.split()) in " ".join(done.out.split())
