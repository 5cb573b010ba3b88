"""Passwords, one-time codes, and tokens of cookies and links."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from datetime import datetime

MOST_CHARACTERS = 128
_CLASSES = 3
_STEP_S = 30

# 46 MiB twice over: about a tenth of a second here, and no more than 1 GB with every thread of the server signing in.
_HASHER = PasswordHasher(time_cost=2, memory_cost=46 * 1024, parallelism=1)
_NOBODYS = _HASHER.hash(secrets.token_urlsafe(16))


class PasswordFault(StrEnum):
    """Why a new password is too easy to guess."""

    LENGTH = "length"
    LOGIN = "login"
    KINDS = "kinds"
    SAME = "same"


class PasswordRefusedError(MapgridError):
    """A new password that is too easy to guess.

    Attributes
    ----------
    fault, fewest
        Why, and how many characters it must have at least.
    """

    def __init__(self, fault: PasswordFault, fewest: int, expected: str) -> None:
        self.fault, self.fewest = fault, fewest
        super().__init__(f"password: expected {expected}")


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password."""
    return _HASHER.hash(unicodedata.normalize("NFC", password))


def is_password(password_hash: str | None, password: str) -> bool:
    """Say whether a password belongs to a hash; it takes as long without one."""
    try:
        is_right = _HASHER.verify(password_hash or _NOBODYS, unicodedata.normalize("NFC", password[:MOST_CHARACTERS]))
    except (Argon2Error, InvalidHashError):
        return False
    return is_right and password_hash is not None and len(password) <= MOST_CHARACTERS


def check_password(password: str, *, login: str, fewest: int) -> None:
    """Raise `PasswordRefusedError` unless a new password is long and mixed enough and is not the login."""
    if not fewest <= len(password) <= MOST_CHARACTERS:
        raise PasswordRefusedError(PasswordFault.LENGTH, fewest, f"{fewest}–{MOST_CHARACTERS} characters")
    if login.casefold() in password.casefold():
        raise PasswordRefusedError(PasswordFault.LOGIN, fewest, "one without the login in it")
    kinds = (str.islower, str.isupper, str.isdecimal, lambda letter: not (letter.isascii() and letter.isalnum()))
    if sum(any(is_kind(letter) for letter in password) for is_kind in kinds) < _CLASSES:
        expected = "three of these kinds of characters: small letters, capital letters, digits, others"
        raise PasswordRefusedError(PasswordFault.KINDS, fewest, expected)
    if len(set(password)) < 5:
        raise PasswordRefusedError(PasswordFault.SAME, fewest, "at least five different characters")


def new_token() -> str:
    """Return a token nobody can guess."""
    return secrets.token_urlsafe(32)


def key_of(token: str) -> bytes:
    """Return what the store keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def new_totp_secret() -> str:
    """Return a secret for one-time codes (RFC 6238)."""
    return pyotp.random_base32()


def totp_address(secret: str, login: str) -> str:
    """Return what an authenticator app reads from the picture."""
    return pyotp.TOTP(secret, interval=_STEP_S).provisioning_uri(name=login, issuer_name="mapgrid")


def totp_step(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step whose one-time code was given, the current one or a neighbour, or None for a wrong code."""
    totp = pyotp.TOTP(secret, interval=_STEP_S)
    digits = "".join(letter for letter in code if letter.isdecimal() and letter.isascii())
    current = int(now.timestamp()) // _STEP_S
    right = [
        step for step in (current, current - 1, current + 1) if secrets.compare_digest(totp.generate_otp(step), digits)
    ]
    return right[0] if right else None
