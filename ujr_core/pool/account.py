"""Accounts: what is told of a call, whatever the task's own code does meanwhile.

A worker imports this, so it imports little.
"""

from __future__ import annotations

import sys

try:
    # What the module `pickle` is made of. That itself imports `re`, which would be a tenth of a worker's start.
    from _pickle import dumps
except ImportError:  # another Python than CPython
    from pickle import dumps

from ujr_core.pool import wire
from ujr_core.pool.frames import LARGEST
from ujr_core.pool.wire import Account
from ujr_core.texts import cut, message_of, summary_of, traceback_of, type_name_of

_HIGHEST_PROTOCOL = -1

NOTHING = Account(returned=True, text="None", value=dumps(None, _HIGHEST_PROTOCOL))
"""Of a function that returned None."""


def returned(value: object) -> Account:
    """Tell of a function that returned."""
    if value is None:
        return NOTHING
    try:
        pickled: bytes | None = dumps(value, _HIGHEST_PROTOCOL)
    except BaseException as error:  # noqa: BLE001  # the work is done, so it is a success all the same
        if _is_about_a_secret(error):
            return raised(error)
        pickled = None
    if pickled is not None and len(pickled) > LARGEST - wire.ENVELOPE:
        pickled = None
    return Account(returned=True, text=summary_of(value), value=pickled)


def raised(error: BaseException, saying: str = "", *, type_name: str = "") -> Account:
    """Tell of what was raised.

    Args:
        error: as caught.
        saying: what was being done, if it was not the call itself.
        type_name: default: that of the error.
    """
    if not saying and _is_deferral(error):
        return _deferred(error)
    return _told(error, saying, type_name)


def _told(error: BaseException, saying: str = "", type_name: str = "") -> Account:
    of_error, message = type_name_of(type(error)), message_of(error)
    return Account(
        returned=False,
        text=cut(f"{saying}: {of_error}: {message}") if saying else message,
        type_name=type_name or of_error,
        traceback=traceback_of(error),
        exit_code=_exit_code(error) if isinstance(error, SystemExit) else None,
    )


def _is_deferral(error: BaseException) -> bool:
    # Not imported here: where nobody has imported it, nobody can have raised it, and the worker starts sooner.
    asked = sys.modules.get("ujr_core.values.asked")
    return asked is not None and issubclass(type(error), asked.RetryAfter)


def _deferred(error: BaseException) -> Account:
    from ujr_core.values.asked import RetryAfter

    assert isinstance(error, RetryAfter)
    try:
        plain = RetryAfter(error.seconds, error.limit)  # of a derived class, which may have made anything of itself
    except BaseException as wrong:  # noqa: BLE001  # of the task's own code, so it is an error like any other
        return _told(wrong)
    account, asked = _told(error), str(plain)
    text = account.text if account.text == asked else cut(f"{asked}: {account.text}")
    account.text, account.retry_after = text, plain.seconds
    account.limit = plain.limit and cut(plain.limit)
    return account


def _exit_code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1


def _is_about_a_secret(error: BaseException) -> bool:
    from ujr_core.errors import SecretError

    return isinstance(error, SecretError) and error.code == "secret-not-picklable"
