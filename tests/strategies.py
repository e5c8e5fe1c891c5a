"""Shared strategies: what jobs, arguments and configurations may look like."""

from __future__ import annotations

import datetime
import string
from typing import Any

from hypothesis import strategies as st

scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.uuids(),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(datetime.UTC)),
    st.times(),
    st.timedeltas(),
)
hashables: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3), max_leaves=6
)
arguments: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(hashables, max_size=4)
        | st.dictionaries(hashables, inner, max_size=4)
    ),
    max_leaves=12,
)
"""Whatever a task may be given and that has a canonical form."""

keywords = st.dictionaries(st.text(string.ascii_lowercase, min_size=1, max_size=5), arguments, max_size=4)

toml_keys = st.text(min_size=1, max_size=8) | st.text(string.ascii_letters + "-_", min_size=1, max_size=8)
toml_values: st.SearchStrategy[Any] = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.dates()
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(toml_keys, inner, max_size=4),
    max_leaves=15,
)
toml_tables = st.dictionaries(toml_keys, toml_values, max_size=6)
"""Whatever a TOML file can say."""

job_names = st.text(string.ascii_lowercase + string.digits + ".-", min_size=1, max_size=12)
