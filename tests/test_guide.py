"""The guide's pages about additions: what they name is there, and they are as short as they promise."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# How many places an addition touches.
PLACES = {"device": 8, "file_format": 6, "layer": 4, "optimizer": 5}
PAGES = {name: (ROOT / f"docs/adding/{name}.md").read_text() for name in PLACES}


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_a_page_names_exist(page: str) -> None:
    paths = re.findall(r"`((?:crates|docs|python|tests)/[\w./]+)`", PAGES[page])
    links = re.findall(r"\]\(([^)#]+)\)", PAGES[page])
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [link for link in links if not (ROOT / "docs/adding" / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_name_that_a_page_says_is_in_a_file_is_in_it(page: str) -> None:
    told = re.findall(r"((?:`\w+`(?:, | and )?)+)(?:, )?in `([\w./]+\.\w+)`", PAGES[page])
    assert told
    for names, path in told:
        text = (ROOT / path).read_text()
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"\b(?:class |def |struct |trait |fn |^){name}\b", text, re.MULTILINE), (
                f"{path} has no {name}"
            )


@pytest.mark.parametrize("page", PAGES)
def test_an_addition_touches_as_many_places_as_promised(page: str) -> None:
    table = PAGES[page].split("## The places\n\n")[1].split("\n\n")[0]
    assert len(table.splitlines()) - 2 == PLACES[page]
