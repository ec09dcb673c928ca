import re

import pytest

from soberlook.results.report.section import NOT_ENOUGH, Section, file_name, listed, number, percent

ROW = {"value": 0.314, "low": 0.2, "high": 0.4}


@pytest.mark.parametrize(
    "name",
    ["../../x", "C:\\\\x", "a/b", "a?", "sprites(kind='x')", "x" * 300, "", "β", "a\n", ".."],
)
def test_names_from_data_become_names_of_files(name):
    found = file_name(f"league_{name}")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,100}", found) and found != file_name(f"league_{name}!")
    assert file_name("league_mini_sprites_mig-1") == "league_mini_sprites_mig-1"


def test_numbers_in_sentences():
    assert number(ROW) == "0.31 [0.20 to 0.40]" and percent(ROW) == "31 % [20 to 40]"
    assert number(ROW | {"low": float("nan")}) == "0.31"
    assert [listed("a"), listed("ab"), listed("abc")] == ["a", "a and b", "a, b and c"]


def test_what_a_section_says_where_it_has_no_answer():
    asked = Section("x", "X?", [])
    assert asked._replace(why="there is one method only").answers == [
        "Nothing can be said: there is one method only."
    ]
    assert asked._replace(why=f"{NOT_ENOUGH}: one seed").answers == [f"{NOT_ENOUGH}: one seed."]
    assert asked._replace(findings=["yes"]).answers == ["yes"]
