import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsct_gym.file_names import LONGEST, file_name, former_file_name


@pytest.mark.parametrize(
    "text", ["dc5-ofa60", "tiny-00", "greedy", "0.1.0", "a_b+c", "最初", "x" * LONGEST]
)
def test_what_a_file_name_can_hold_stays(text):
    assert file_name(text) == text


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("package.module:Class", "package.module_Class~"),
        ("mip[threads=1,start=greedy]", "mip_threads_1_start_greedy_~"),
        ("../../etc/passwd", "_.._etc_passwd~"),
        ("a/b c", "a_b_c~"),
        ("T4", "T4~"),
        ("..", "_~"),
        ("", "_~"),
        ("-rf", "rf~"),
        ("con", "_con~"),
        ("nul.json", "_nul.json~"),
        ("a\nb\0c", "a_b_c~"),
        ("时" * 100, "时" * 28 + "~"),
        ("x" * 10_000, "xxx"),
        ("a~b", "a_b~"),
    ],
)
def test_what_it_cannot_hold_is_changed_and_hashed(text, begins):
    name = file_name(text)
    assert name.startswith(begins)
    assert name == file_name(text)
    assert len(name.encode()) <= LONGEST


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("beta<0.3", "beta>0.3"),
        ("A", "a"),
        ("é", unicodedata.normalize("NFD", "é")),
        ("x" * 500 + "1", "x" * 500 + "2"),
        ("", "_"),
        (".a", "a"),
        ("a/b", "a_b"),
    ],
)
def test_two_texts_are_two_files_on_any_system(one, other):
    names = {unicodedata.normalize("NFC", file_name(each)).casefold() for each in (one, other)}
    assert len(names) == 2


@given(st.text(max_size=300))
def test_every_name_is_safe(text):
    name = file_name(text)
    assert 0 < len(name.encode()) <= LONGEST
    assert name.isprintable()
    assert not set(name) & set('/\\<>:"|?* ')
    assert name[0] not in ".-"
    assert name[-1] != "."


@given(st.text(max_size=20), st.text(max_size=20))
def test_names_are_different_as_the_texts_are(one, other):
    if one != other:
        assert file_name(one).casefold() != file_name(other).casefold()


def test_the_name_of_before_is_known():
    assert former_file_name("beta<0.3") == former_file_name("beta>0.3") == "beta_0.3"
    assert former_file_name("package.module:Class") == "package.module_Class"
