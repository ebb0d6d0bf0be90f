"""The words of `ptx`, and where the lockstep machine handles them."""

import importlib
import pkgutil

import pytest

from gpuplay.intrinsics import device, ptx
from gpuplay.lockstep.words import ptx as handled


def files(package):
    """The names of a package's modules, folders left out, from the package on."""
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return sorted(info.name.removeprefix(f"{package.__name__}.") for info in found if not info.ispkg)


@pytest.mark.parametrize("name", files(handled))
def test_a_word_is_handled_in_the_file_that_bears_the_name_of_its_own(name):
    vocabulary = importlib.import_module(f"{handled.__name__}.{name}").HANDLERS
    assert vocabulary
    assert {word.__module__ for word in vocabulary} == {f"{device.__name__}.{name}"}


def test_every_word_of_ptx_is_handled():
    words = {name: word for name, word in vars(ptx).items() if type(word).__name__ == "_Intrinsic"}
    assert len(words) > 40
    assert [name for name, word in words.items() if word not in handled.VOCABULARY] == []
