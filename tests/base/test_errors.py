"""The errors carry what a user is told, and when it is tried again."""

from __future__ import annotations

import pytest

from vistterstream.base.errors import PermanentError, TemporaryError, VistterError


def test_an_error_says_its_sentence_and_carries_a_reason() -> None:
    error = PermanentError("The disk is gone.", reason="DiskGone")
    assert (str(error), error.message, error.reason) == ("The disk is gone.",) * 2 + ("DiskGone",)


def test_a_temporary_error_says_when_to_try_again() -> None:
    with pytest.raises(VistterError) as caught:
        raise TemporaryError("The camera is busy.", delay=2.5)
    assert isinstance(caught.value, TemporaryError)
    assert (caught.value.delay, caught.value.reason) == (2.5, "Waiting")


def test_whoever_must_tell_the_two_apart_can() -> None:
    assert not issubclass(PermanentError, TemporaryError)
    assert not issubclass(TemporaryError, PermanentError)
    assert VistterError("Something.").reason == "Failed"
