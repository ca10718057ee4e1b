"""Settings: defaults, variables, flags, and what is said about those that make no sense."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.db.session import database_url
from search.errors import LibraryError, SettingsError
from search.settings import PREFIX, Settings, load_settings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_default(tmp_path: Path) -> None:
    assert load_settings({}).port == 8484
    assert load_settings({"DEIXIS_PORT": "9000"}).port == 9000
    assert load_settings({"DEIXIS_PORT": "9000"}, port=9001).port == 9001
    assert load_settings({"DEIXIS_HOME": str(tmp_path)}, home=None).home == tmp_path


def test_other_peoples_variables_and_empty_ones_are_ignored() -> None:
    assert load_settings({"PATH": "/bin", "DEIXIS_PORT": ""}).port == 8484


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"DEIXIS_PROT": "9000"}, "DEIXIS_PROT is not a setting"),
        ({"DEIXIS_PORT": "many"}, "DEIXIS_PORT is 'many'\nIt must be a whole number"),
        ({"DEIXIS_PORT": "0"}, "DEIXIS_PORT is 0"),
        ({"DEIXIS_PORT": "65536"}, "between 1 and 65535"),
        ({"DEIXIS_THREADS": "-1"}, "DEIXIS_THREADS is -1"),
        ({"DEIXIS_DECODE_TIMEOUT_S": "soon"}, "It must be a number"),
        ({"DEIXIS_DECODE_MEMORY_BYTES": "1000"}, "DEIXIS_DECODE_MEMORY_BYTES is 1000"),
    ],
)
def test_a_setting_that_makes_no_sense_is_an_error_that_names_it(environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    assert message in str(caught.value)


def test_every_setting_is_documented_with_its_default() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    for setting in fields(Settings):
        (row,) = [line for line in document.splitlines() if line.startswith(f"| `{PREFIX}{setting.name.upper()}` |")]
        if isinstance(setting.default, int | float | str):
            assert (
                f"`{setting.default:g}`" in row if isinstance(setting.default, float) else f"`{setting.default}`" in row
            )


ODD = st.text(max_size=20) | st.sampled_from(
    ["~nobody-of-this-name/x", "~", "nan", "-inf", "1e400", "9" * 5000, "\udcff"]
)


@given(st.sampled_from([field.name for field in fields(Settings)]), ODD)
def test_any_value_of_a_setting_is_taken_or_refused_with_a_remedy(name: str, value: str) -> None:
    try:
        understood = load_settings({PREFIX + name.upper(): value}).home.is_absolute()
    except SettingsError as error:
        understood = error.remedy != ""
    assert understood


@given(st.sampled_from(["", "sqlite:///", "postgresql://", "postgres://u:p@h:", "mysql://"]), ODD)
def test_any_database_url_is_taken_or_refused_with_a_remedy(start: str, rest: str) -> None:
    try:
        understood = database_url(Path("/home"), start + rest).get_backend_name() in {"sqlite", "postgresql"}
    except LibraryError as error:
        understood = error.remedy != ""
    assert understood
