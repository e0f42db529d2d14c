"""The guide for those who come from PyTorch is true: its list of missing names, and its programs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rustorch

from tests import pytorch_names

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

TEXT = pytorch_names.GUIDE.read_text(encoding="utf-8")


def test_the_list_of_missing_names_is_true() -> None:
    assert pytorch_names.written()[1] == pytorch_names.section(), "python -m tests.pytorch_names writes it"


def test_a_name_is_there_or_not() -> None:
    assert pytorch_names.is_there("nn.functional.relu")
    assert pytorch_names.is_there("Tensor.add_")
    assert not pytorch_names.is_there("nn.functional.relu.nothing")
    assert not pytorch_names.is_there("nothing.inside")


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert links
    assert [link for link in links if not (pytorch_names.GUIDE.parent / link).exists()] == []


@pytest.mark.parametrize("program", re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
def test_the_programs_of_the_guide_run(program: str) -> None:
    found = os.pathsep.join(filter(None, [str(Path(rustorch.__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": found}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
