"""The frames between the runner and a worker: whatever way they arrive, the same comes out."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ujr_core.pool import wire
from ujr_core.pool.frames import LARGEST, BrokenFrame, FrameReader

FRAMES = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SECONDS = st.floats(0, 3e9)
MEASURES = st.builds(wire.Measures, SECONDS, SECONDS, st.integers(0, 2**63))
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
ENDS = st.builds(wire.Ended, RUN_IDS, ACCOUNTS, MEASURES, TEXTS, RUN_IDS, is_worn=st.booleans())
SUMMARIES = TEXTS.filter(lambda text: len(text.encode()) < 1 << 16)
SIZES = st.integers(1, 2**64 - 1)


def body_of(frame: bytes) -> bytes:
    """Return the body of the one frame."""
    ((_, body),) = FrameReader().feed(frame)
    return bytes(body)


@given(ENDS)
def test_an_outcome_arrives_as_it_was_told(ended: wire.Ended) -> None:
    """Nothing of an outcome is changed on the way, and nothing of it is missing."""
    assert wire.decode_ended(body_of(wire.encode_ended(ended))) == ended


@given(RUN_IDS, RUN_IDS, MEASURES, SUMMARIES, st.binary())
def test_a_short_outcome_arrives_as_it_was_told(
    run_id: int, next_run: int, measures: wire.Measures, summary: str, value: bytes
) -> None:
    """Likewise in the shorter message that most outcomes have."""
    frame = wire.encode_done(run_id, next_run, measures, summary.encode(), len(value)) + value
    assert wire.decode_done(body_of(frame)) == (run_id, next_run, *measures, summary, value)


@given(RUN_IDS, st.integers(0, 2**32 - 1), st.binary(), st.integers(-1, 2**31 - 1), st.none() | SIZES)
def test_an_order_arrives_as_it_was_given(
    run_id: int, number: int, payload: bytes, slot: int, memory: int | None
) -> None:
    """The arguments of a task are opaque bytes, and stay them."""
    body = body_of(wire.encode_run(run_id, number, payload, slot, memory))
    run = wire.decode_run(body)
    assert (run.run_id, run.number, run.slot) == (run_id, number, slot)
    assert (run.memory, bytes(run.payload)) == (memory or 0, payload)


@given(st.lists(TEXTS.filter(lambda path: "\0" not in path)), st.none() | SIZES)
def test_a_new_worker_is_told_how_to_live(sys_path: list[str], most_memory: int | None) -> None:
    """What it is told arrives as it was said."""
    init = wire.Init(sys_path, most_memory)
    assert wire.decode_init(body_of(wire.encode_init(init))) == init


@given(st.lists(RUN_IDS))
def test_each_claim_is_as_long_as_any_other(run_ids: list[int]) -> None:
    """A worker takes one by its length alone, and the runner reads back all that are left."""
    claims = wire.encode_claims(run_ids)
    assert len(claims) == wire.CLAIM * len(run_ids)
    assert wire.decode_claims(claims) == run_ids
    assert [
        int.from_bytes(claims[place : place + wire.CLAIM]) for place in range(0, len(claims), wire.CLAIM)
    ] == run_ids


@given(FRAMES, st.data())
def test_it_does_not_matter_how_a_stream_is_cut(frames: list[tuple[int, bytes]], data: st.DataObject) -> None:
    """A reader that is fed any pieces yields the same frames, and then holds nothing back."""
    stream = b"".join(len(body).to_bytes(8) + bytes([kind]) + body for kind, body in frames)
    reader = FrameReader()
    found: list[tuple[int, bytes]] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += [(kind, bytes(body)) for kind, body in reader.feed(stream[:size])]
        stream = stream[size:]
    assert found == frames
    assert reader.partial == 0


NEWS = (
    wire.encode_hello(),
    wire.encode_begun(7),
    wire.encode_done(7, 8, wire.Measures(0.5, 0.25, 1 << 20), b"seven", 40) + b"7" * 40,
    wire.encode_ended(wire.Ended(8, wire.Account(returned=False, text="no"), wire.Measures(1.0, 1.0, 1), "out", 9)),
)
STREAM = b"".join(NEWS)
NEWS_FRAMES = list(FrameReader().feed(STREAM))


@pytest.mark.parametrize("place", range(len(STREAM) + 1))
def test_news_may_be_cut_at_every_byte(place: int) -> None:
    """Wherever a read ends, the frames are the same, none is given out before it is whole, and nothing is held back."""
    reader = FrameReader()
    first = list(reader.feed(STREAM[:place]))
    assert sum(9 + len(body) for _, body in first) + reader.partial == place
    assert first + list(reader.feed(STREAM[place:])) == NEWS_FRAMES
    assert reader.partial == 0


def test_news_may_come_byte_by_byte() -> None:
    """A reader is no slower to understand what comes slowly."""
    reader = FrameReader()
    assert [frame for byte in STREAM for frame in reader.feed(bytes([byte]))] == NEWS_FRAMES


LARGE = st.integers(0, 3).flatmap(lambda n: st.tuples(st.just(n), st.binary(max_size=9), st.integers(0, 200_000)))


@given(st.lists(LARGE, min_size=1, max_size=4), st.data())
def test_a_large_frame_may_be_read_to_where_it_belongs(
    frames: list[tuple[int, bytes, int]], data: st.DataObject
) -> None:
    """It does not matter how much of it is fed, and how much is read right into the room that is kept for it."""
    whole = [(kind, body + bytes(size)) for kind, body, size in frames]
    stream = b"".join(len(body).to_bytes(8) + bytes([kind]) + body for kind, body in whole)
    reader = FrameReader()
    found: list[tuple[int, bytes]] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        if (room := reader.room) is not None and data.draw(st.booleans()):
            size = min(size, len(room))
            room[:size] = stream[:size]
            room.release()
            frames_now = reader.fill(size)
        else:
            frames_now = reader.feed(stream[:size])
        found += [(kind, bytes(body)) for kind, body in frames_now]
        stream = stream[size:]
    assert found == whole
    assert (reader.partial, reader.room) == (0, None)


def test_of_a_large_frame_what_has_arrived_is_counted() -> None:
    """A worker that died half-way through a large result has sent so much of it."""
    reader = FrameReader()
    frame = (500_000).to_bytes(8) + b"\x0e" + bytes(500_000)
    assert list(reader.feed(frame[:300_000])) == []
    assert reader.partial == 300_000
    room = reader.room
    assert room is not None
    assert len(room) == len(frame) - 300_000


@given(st.integers(1, 2**64 - 1))
def test_a_frame_above_the_limit_is_refused_by_its_head(excess: int) -> None:
    """A length that no worker sends is refused before anything of the frame has come."""
    length = min(LARGEST + excess, 2**64 - 1)
    with pytest.raises(BrokenFrame):
        list(FrameReader().feed(length.to_bytes(8) + b"\x0d"))


@given(
    st.builds(wire.encode_ended, ENDS)
    | st.builds(wire.encode_done, RUN_IDS, RUN_IDS, MEASURES, SUMMARIES.map(str.encode), st.just(0)),
    st.data(),
)
def test_what_is_no_message_is_read_or_refused(frame: bytes, data: st.DataObject) -> None:
    """An outcome that was damaged or cut short raises nothing but what says so."""
    body = bytearray(body_of(frame))
    place = data.draw(st.integers(0, len(body)))
    body[place:] = data.draw(st.binary(max_size=12)) + body[place + data.draw(st.integers(0, 12)) :]
    for decode in (wire.decode_ended, wire.decode_done, wire.decode_begun):
        for arrived in (bytes(body), memoryview(body)):  # as it is when it is small, and when it is large
            with contextlib.suppress(BrokenFrame):
                decode(arrived)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, -1.0, 1e300])
@pytest.mark.parametrize("is_duration", [True, False])
def test_a_time_that_no_clock_measures_is_refused(wrong: float, is_duration: bool) -> None:
    """The scheduler reckons with what runs took, and must not be led to reckon with what is no number of seconds."""
    measures = wire.Measures(wrong, 0.0, 0) if is_duration else wire.Measures(0.0, wrong, 0)
    ended = wire.encode_ended(wire.Ended(1, wire.Account(returned=True, text=""), measures, ""))
    with pytest.raises(BrokenFrame):
        wire.decode_ended(body_of(ended))
    with pytest.raises(BrokenFrame):
        wire.decode_done(body_of(wire.encode_done(1, 0, measures, b"", 0)))


@given(st.floats().filter(lambda rest: not 0 <= rest <= 36_500 * 86_400))
def test_a_rest_that_no_task_may_ask_for_is_refused(rest: float) -> None:
    """Nothing but seconds that a clock can hold comes through to the scheduler."""
    account = wire.Account(returned=False, text="", retry_after=rest)
    frame = wire.encode_ended(wire.Ended(1, account, wire.Measures(0.0, 0.0, 0), ""))
    with pytest.raises(BrokenFrame, match="a task that is to rest for"):
        wire.decode_ended(body_of(frame))
