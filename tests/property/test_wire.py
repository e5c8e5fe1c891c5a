"""The frames between the runner and a worker: whatever way they arrive, the same comes out."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ujr_core.pool import wire

FRAMES = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.floats(allow_nan=False)
MEASURES = st.builds(wire.Measures, NUMBERS, NUMBERS, st.integers(0, 2**63))
ACCOUNTS = st.builds(
    wire.Account,
    returned=st.booleans(),
    text=TEXTS,
    type_name=TEXTS,
    traceback=TEXTS,
    exit_code=st.none() | st.integers(-(2**63), 2**63 - 1),
    value=st.none() | st.binary(),
    retry_after=st.none() | st.floats(0, 3e9),
    limit=st.none() | TEXTS,
)
RUN_IDS = st.integers(0, 2**64 - 1)


def body_of(frame: bytes) -> bytes:
    """Return the body of the one frame."""
    ((_, body),) = wire.FrameReader().feed(frame)
    return body


@given(RUN_IDS, ACCOUNTS, MEASURES, TEXTS)
def test_an_outcome_arrives_as_it_was_told(
    run_id: int, account: wire.Account, measures: wire.Measures, output: str
) -> None:
    """Nothing of an outcome is changed on the way, and nothing of it is missing."""
    frame = wire.encode_ended(run_id, account, measures, output)
    assert wire.decode_ended(body_of(frame)) == (run_id, account, measures, output)


@given(RUN_IDS, st.integers(0, 2**32 - 1), st.binary())
def test_an_order_arrives_as_it_was_given(run_id: int, number: int, payload: bytes) -> None:
    """The arguments of a task are opaque bytes, and stay them."""
    *head, arrived = wire.decode_run(body_of(wire.encode_run(run_id, number, payload)))
    assert (*head, bytes(arrived)) == (run_id, number, payload)


@given(FRAMES, st.data())
def test_it_does_not_matter_how_a_stream_is_cut(frames: list[tuple[int, bytes]], data: st.DataObject) -> None:
    """A reader that is fed any pieces yields the same frames, and then holds nothing back."""
    stream = b"".join(len(body).to_bytes(8) + bytes([kind]) + body for kind, body in frames)
    reader = wire.FrameReader()
    found: list[tuple[int, bytes]] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += reader.feed(stream[:size])
        stream = stream[size:]
    assert found == frames
    assert reader.partial == 0


@given(st.integers(1, 2**64 - 1))
def test_a_frame_above_the_limit_is_refused_by_its_head(excess: int) -> None:
    """A length that no worker sends is refused before anything of the frame has come."""
    length = min(wire.LARGEST + excess, 2**64 - 1)
    with pytest.raises(wire.BrokenFrame):
        list(wire.FrameReader().feed(length.to_bytes(8) + b"\x0d"))


@given(ACCOUNTS, MEASURES, TEXTS, st.data())
def test_what_is_no_message_is_read_or_refused(
    account: wire.Account, measures: wire.Measures, output: str, data: st.DataObject
) -> None:
    """An outcome that was damaged or cut short raises nothing but what says so."""
    body = bytearray(body_of(wire.encode_ended(1, account, measures, output)))
    place = data.draw(st.integers(0, len(body)))
    body[place:] = data.draw(st.binary(max_size=12)) + body[place + data.draw(st.integers(0, 12)) :]
    for decode in (wire.decode_ended, wire.decode_begun):
        with contextlib.suppress(wire.BrokenFrame):
            decode(bytes(body))


@given(st.floats().filter(lambda rest: not 0 <= rest <= 36_500 * 86_400))
def test_a_rest_that_no_task_may_ask_for_is_refused(rest: float) -> None:
    """Nothing but seconds that a clock can hold comes through to the scheduler."""
    account = wire.Account(returned=False, text="", retry_after=rest)
    frame = wire.encode_ended(1, account, wire.Measures(0.0, 0.0, 0), "")
    with pytest.raises(wire.BrokenFrame, match="a task that is to rest for"):
        wire.decode_ended(body_of(frame))
