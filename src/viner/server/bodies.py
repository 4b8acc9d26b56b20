"""JSON in and out: bodies that are checked field by field, answers without needless work."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from viner.server.errors import RequestError

NDJSON = "application/x-ndjson"
"""The media type of a stream of JSON values, one a line."""
_LONG_NUMBER = re.compile(rb"[0-9]{19}")


def proper(value: str, where: str) -> str:
    """The same text, of a query or a field.

    Raises:
        RequestError: If it holds what no text, and no database, can hold: a zero character, or half of a character.
    """
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise RequestError(422, "invalid_input", "holds a character that no text can hold", where=where)
    return value


def media_type(headers: Headers) -> str:
    """The media type of a body, without parameters; empty where it is not told."""
    return headers.get("content-type", "").split(";")[0].strip().lower()


def check_json(request: Request, hint: str) -> None:
    """Makes sure that a body says it is JSON.

    Raises:
        RequestError: If it does not (415).
    """
    kind = media_type(request.headers)
    if kind != "application/json":
        message = f"the content type is {kind[:60] or 'missing'!r}"
        raise RequestError(415, "unsupported_media_type", message, where="Content-Type", hint=hint)


def read_json(body: bytes, hint: str) -> Any:
    """The value of a JSON body.

    Raises:
        RequestError: If the body is not UTF-8 or not JSON, or a number is too large (400); ``where`` names the place.
    """
    if not _LONG_NUMBER.search(body):  # orjson would round it
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:  # says less about it than the standard library, and refuses lone surrogates
            pass
    endless: list[str] = []

    def number(digits: str) -> float:
        if math.isinf(value := float(digits)):
            endless.append(digits)
        return value

    try:
        data = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=number)
    except UnicodeDecodeError as error:
        hint = "Send JSON encoded in UTF-8, no binary files"
        raise RequestError(400, "invalid_json", "the body is not UTF-8", where=f"byte {error.start}", hint=hint) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise RequestError(400, "invalid_json", f"the body is not JSON: {error.msg}", where=where, hint=hint) from None
    except RecursionError:
        raise RequestError(400, "invalid_json", "the body is nested too deeply", hint=hint) from None
    except ValueError:  # a number of more digits than Python converts
        raise RequestError(400, "invalid_json", "a number in the body is too long", hint=hint) from None
    if endless:  # JSON could not give it back
        hint = "Send numbers below 1.8e308, or write them as strings"
        raise RequestError(400, "invalid_json", f"the number {endless[0][:20]} is too large", where=_infinite(data), hint=hint)
    return data


def _infinite(data: Any) -> str | None:
    """Where in a JSON value the first number stands that became infinite, as in ``meta.sizes[3]``."""
    values: list[tuple[str, Any]] = [("", data)]
    while values:
        place, value = values.pop()
        if isinstance(value, float) and math.isinf(value):
            return place or None
        if isinstance(value, dict):
            values += [(f"{place}.{key[:60]}".lstrip("."), item) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            values += [(f"{place}[{index}]", item) for index, item in reversed(list(enumerate(value)))]
    return None  # a key that came twice: the last one counts


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no JSON value", name, 0)


def write_json(data: Any, status: int = 200) -> Response:
    """The answer with a JSON value."""
    return Response(dump_json(data), status, media_type="application/json")


def dump_json(data: Any) -> bytes:
    """A JSON value as bytes."""
    try:
        return orjson.dumps(data)
    except TypeError:  # metadata may hold integers of more than 64 bits, or half of a UTF-16 pair, which stays escaped
        return json.dumps(data).encode("ascii")


class Fields:
    """The fields of a JSON object, read one by one, each checked.

    Args:
        data: What came over the wire.
        known: Names that may occur.

    Raises:
        RequestError: If it is no object or has other fields (422).
    """

    def __init__(self, data: Any, *known: str) -> None:
        self._hint = f"Send a JSON object with: {', '.join(known)}"
        if not isinstance(data, Mapping):
            raise RequestError(422, "invalid_input", "the body is no JSON object", where="body", hint=self._hint)
        unknown = sorted(set(data) - set(known))
        if unknown:
            raise RequestError(422, "invalid_input", f"unknown key {unknown[0][:60]!r}", where="body", hint=self._hint)
        self._data = data

    def text(self, key: str, *, most: int = 200) -> str:
        """A string that is not empty and has no more code points than allowed."""
        value = self._data.get(key)
        if not isinstance(value, str) or not value:
            raise self._wrong(key, "must be a string, and not an empty one")
        return self._proper(key, value, most)

    def optional_text(self, key: str, *, most: int = 200) -> str | None:
        """A string, or None where it is missing or null."""
        return None if self._data.get(key) is None else self.text(key, most=most)

    def truth(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self._data.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "must be true or false")
        return value

    def integer(self, key: str) -> int:
        """An integer that fits into 63 bits."""
        value = self._data.get(key)
        if type(value) is not int or abs(value) >= 2**63:
            raise self._wrong(key, "must be an integer")
        return value

    def texts(self, key: str, *, most: int = 1_000) -> tuple[str, ...]:
        """A list of strings, empty where it is missing."""
        values = self._data.get(key, [])
        if not isinstance(values, list) or len(values) > most or not all(isinstance(value, str) for value in values):
            raise self._wrong(key, f"must be a list of at most {most:,} strings")
        return tuple(self._proper(f"{key}[{index}]", value, 1_000) for index, value in enumerate(values))

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of some words."""
        value = self._data.get(key)
        if value not in choices:
            raise self._wrong(key, f"must be one of {', '.join(choices)}")
        return str(value)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """A JSON object."""
        value = self._data.get(key)
        if not isinstance(value, Mapping):
            raise self._wrong(key, "must be a JSON object")
        return value

    def _proper(self, key: str, value: str, most: int) -> str:
        if len(value) > most:
            raise self._wrong(key, f"is longer than {most:,} characters")
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise self._wrong(key, "holds a character that no text can hold")
        return value

    def _wrong(self, key: str, message: str) -> RequestError:
        return RequestError(422, "invalid_input", message, where=key, hint=self._hint)
