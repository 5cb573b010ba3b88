import pytest

from web.interrupts import is_interrupt


def _raised(act):
    with pytest.raises(BaseException) as caught:  # noqa: PT011 -- what is raised is the question
        act()
    return caught.value


def test_an_interrupt_is_known_through_the_error_of_a_compiled_function():
    def compiled():
        try:
            raise KeyboardInterrupt  # noqa: TRY301 -- the very chain is the point
        except KeyboardInterrupt as interrupt:
            message = "returned a result with an exception set"
            raise SystemError(message) from interrupt

    assert is_interrupt(_raised(compiled))
    assert is_interrupt(KeyboardInterrupt())


def test_another_error_is_no_interrupt():
    assert not is_interrupt(SystemError("broken"))
    assert not is_interrupt(None)
