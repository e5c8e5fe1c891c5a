"""Rows and columns that cannot be read: each refusal names them, and all are found at once."""

from __future__ import annotations

import pytest
from sql_fixtures import Jobs

from ujr_core import Faults


def with_columns(jobs: Jobs, columns: str, *values: str) -> Jobs:
    """Create the table of an application with a row for each text of values."""
    jobs.run(f"CREATE TABLE ujr_jobs ({columns})")
    for row in values:
        jobs.run(f"INSERT INTO ujr_jobs VALUES ({row})")
    return jobs


def test_a_column_that_is_no_setting_is_refused(jobs: Jobs) -> None:
    """A setting that was misspelt is found before a job runs without it; the fix is ready to be copied."""
    with_columns(jobs, "id integer, name text, timout text, created_at text")
    assert str(jobs.refusal(ignore=("id",))) == (
        'error[sql-wrong-column]: columns "timout", "created_at" are no settings of a job\n'
        f"  where: {jobs.shown}, ujr_jobs\n"
        '  fix:   did you mean "timeout"? if not, write ignore = ["id", "timout", "created_at"] in [plugins.sql]'
    )
    error = jobs.refusal(ignore=("id", "timout"))
    assert error.what == 'column "created_at" is no setting of a job'
    assert error.fix == 'if that is for another program, write ignore = ["id", "timout", "created_at"] in [plugins.sql]'


def test_a_table_without_names_is_refused(jobs: Jobs) -> None:
    """Without the column name there are no jobs to name."""
    error = with_columns(jobs, "id integer").refusal(ignore=("id",))
    assert str(error) == (
        "error[sql-wrong-column]: the table has no column name\n"
        f"  where: {jobs.shown}, ujr_jobs\n"
        "  fix:   add it: each row needs the name of its job"
    )


def test_a_name_that_stands_twice_is_refused(jobs: Jobs) -> None:
    """Of two rows with one name, none can be told to be the right one."""
    error = with_columns(jobs, "name text", "'a'", "'b'", "'b'").refusal()
    assert str(error) == (
        'error[sql-wrong-row]: 2 rows have the name "b"\n'
        f"  where: {jobs.shown}, ujr_jobs, job b, column name\n"
        "  fix:   keep one; make the column its primary key"
    )


@pytest.mark.parametrize(("rows", "what"), [(("NULL",), "a row has no name"), (("NULL",) * 3, "3 rows have no name")])
def test_a_row_without_a_name_is_refused(jobs: Jobs, rows: tuple[str, ...], what: str) -> None:
    """Rows without a name are counted, and the fix finds them."""
    error = with_columns(jobs, "name text", "'a'", *rows).refusal()
    assert (error.what, error.where) == (what, f"{jobs.shown}, ujr_jobs, column name")
    assert error.fix == "name it, or delete it: DELETE FROM ujr_jobs WHERE name IS NULL"
    jobs.run("DELETE FROM ujr_jobs WHERE name IS NULL")
    assert list(jobs.read()) == ["a"]


def test_a_name_that_is_a_number_is_refused(jobs: Jobs) -> None:
    """A number is no name, and is not made one in silence."""
    error = with_columns(jobs, "name integer", "77").refusal()
    assert (error.what, error.where) == (
        "a row has a name that is no text, but of type int",
        f"{jobs.shown}, ujr_jobs, row 77, column name",
    )


JSON = {
    '{"a": ': "what is no JSON: Expecting value at line 1, column 7",
    '{"a": 1, "a": 2}': '"a" twice in one table',
    '{"a": NaN}': "what is no JSON: NaN",
    '{"a": [{"b": null}]}': "a null inside a table or an array; leave it out",
    "[" * 100_000: "JSON that is nested too deep",
    "": "what is no JSON: Expecting value at line 1, column 1",
}


@pytest.mark.parametrize("text", JSON, ids=[text[:12] for text in JSON])
def test_a_text_that_is_no_table_names_row_and_column(jobs: Jobs, text: str) -> None:
    """JSON that is wrong, or that no TOML table could hold, is refused with the row, the column and the place in it."""
    with_columns(jobs, "name text, params text")
    jobs.run("INSERT INTO ujr_jobs VALUES ('nightly', :text)", {"text": text})
    assert str(jobs.refusal()) == (
        f'error[sql-wrong-row]: job "nightly" has in its column "params" {JSON[text]}\n'
        f"  where: {jobs.shown}, ujr_jobs, job nightly, column params\n"
        "  fix:   correct the row; it is read again by itself"
    )


def test_json_of_the_database_is_read_as_strictly(on_postgresql: Jobs) -> None:
    """A column of the type json keeps what jsonb would drop: a key twice is refused there, too."""
    with_columns(on_postgresql, "name text, params json", """'n', '{"a": 1, "a": 2}'""")
    assert on_postgresql.refusal().what == 'job "n" has in its column "params" "a" twice in one table'


def test_a_value_that_no_table_could_hold_is_refused(jobs: Jobs) -> None:
    """Bytes are no setting, whatever is in them."""
    bytes_of = "x'6869'" if jobs.is_sqlite else r"'\x6869'"
    with_columns(jobs, f"name text, cron {'blob' if jobs.is_sqlite else 'bytea'}", f"'n', {bytes_of}")
    assert jobs.refusal().what == 'job "n" has in its column "cron" a value of type bytes, which no setting is'


def test_a_row_may_name_the_plugins_that_were_listed_alone(jobs: Jobs) -> None:
    """Who writes the table chooses among these; a row without a plugin has the one that is called as the job."""
    with_columns(jobs, "name text, plugin text", "'a', 'weather.jobs'", "'command', NULL", "'call', NULL")
    error = jobs.refusal(plugins=("weather.*", "call"))
    assert str(error) == (
        'error[sql-wrong-row]: job "command" names the plugin "command", which rows of this table may not\n'
        f"  where: {jobs.shown}, ujr_jobs, job command, column plugin\n"
        "  fix:   if who writes the table may choose it, "
        'write plugins = ["weather.*", "call", "command"] in [plugins.sql]'
    )
    assert len(jobs.read(plugins=("weather.*", "call", "command"))) == 3


def test_the_faults_of_all_rows_are_found_at_once(jobs: Jobs) -> None:
    """Who mends a table sees what is wrong with it in one pass; of a thousand faults, twenty."""
    with_columns(jobs, "name text, params text", "NULL, NULL", *(f"'{n:03}', '{{'" for n in range(100)))
    with pytest.raises(Faults) as caught:
        jobs.read()
    assert len(caught.value.faults) == 20
    assert [fault.what for fault in caught.value.faults][:2] == [
        "a row has no name",
        'job "000" has in its column "params" '
        "what is no JSON: Expecting property name enclosed in double quotes at line 1, column 2",
    ]


def test_another_instance_is_named_as_it_is(jobs: Jobs) -> None:
    """A second table has its own settings, and its errors say which."""
    with_columns(jobs, "id integer, name text")
    with pytest.raises(Exception, match=r'ignore = \["id"\] in \[plugins\.web\]'):
        type(jobs.source())(jobs.source().Settings(**jobs.settings), name="web").config_source(jobs.start)
