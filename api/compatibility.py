"""What of a newer description of REST would break a client that was written from an older one.

A request that was allowed must stay allowed, and an answer must stay one that was described: more
may be accepted and more may be told. New statuses, codes, operations and optional fields break
nobody; clients are told to expect codes and fields that they do not know.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

_DEPTH_MAX: Final = 24
# Bounds of requests that may be loosened and not tightened, and in which direction that is.
_MOST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_LEAST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")


class Break(Struct, frozen=True, kw_only=True):
    """`operation` as "GET /v1/zones"; `where` is a place in it, `what` a sentence."""

    operation: str
    where: str
    what: str


def breaks(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Break]:
    """Each of them; both are whole OpenAPI 3.1 documents."""
    found = []
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            operation = f"{method.upper()} {path}"
            after = new["paths"].get(path, {}).get(method)
            if after is None:
                found.append(Break(operation=operation, where="", what="is gone"))
                continue
            pair = _Pair(old, new)
            found += [
                Break(operation=operation, where=where, what=what)
                for where, what in pair.of_operation(before, after)
            ]
    return found


_Found = Iterator[tuple[str, str]]
_Schema = dict[str, Any]


class _Pair:
    """Two documents in whose schemas the references lead to each one's own."""

    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._old = old
        self._new = new

    def of_operation(self, before: _Schema, after: _Schema) -> _Found:
        yield from self._of_parameters(before, after)
        was, is_now = _body(before.get("requestBody")), _body(after.get("requestBody"))
        if was is not None and is_now is None:
            yield "body", "is not taken any more"
        elif was is not None and is_now is not None:
            yield from self._asked("body", was, is_now)
        elif "requestBody" not in before and after.get("requestBody", {}).get("required"):
            yield "body", "is asked for now"
        yield from self._of_answers(before, after)

    def _of_parameters(self, before: _Schema, after: _Schema) -> _Found:
        was = {(one["in"], one["name"]): one for one in before.get("parameters", ())}
        is_now = {(one["in"], one["name"]): one for one in after.get("parameters", ())}
        for (place, name), one in is_now.items():
            if one.get("required") and not was.get((place, name), {}).get("required"):
                yield f"{place} {name}", "is asked for now"
        for (place, name), one in was.items():
            if (place, name) not in is_now:
                yield f"{place} {name}", "is not known any more"
            else:
                later = is_now[place, name]
                told = _sayable(one["schema"])
                yield from self._asked(f"{place} {name}", told, later["schema"])

    def _of_answers(self, before: _Schema, after: _Schema) -> _Found:
        for status, answer in before["responses"].items():
            if int(status) >= 300:
                continue
            later = after["responses"].get(status)
            if later is None:
                yield f"answer {status}", "is not given any more"
                continue
            for media, content in answer.get("content", {}).items():
                if media not in later.get("content", {}):
                    yield f"answer {status}", f"is not {media} any more"
                else:
                    told = later["content"][media].get("schema", {})
                    yield from self._told(f"answer {status}", content.get("schema", {}), told)

    def _asked(self, where: str, was: _Schema, is_now: _Schema, depth: int = 0) -> _Found:
        """What was allowed to be sent, and is not."""
        was, is_now = _led(self._old, was), _led(self._new, is_now)
        if depth > _DEPTH_MAX or _is_anything(is_now):
            return
        yield from _types(where, was, is_now, "may not be {} any more")
        yield from _tighter(where, was, is_now)
        for value in _values(was) or ():
            if (allowed := _values(is_now)) is not None and value not in allowed:
                yield where, f"does not take {value!r} any more"
        yield from _required(where, is_now, was, "is asked for now")
        for name, one in was.get("properties", {}).items():
            inner = f"{where}/{name}"
            if name in is_now.get("properties", {}):
                yield from self._asked(inner, one, is_now["properties"][name], depth + 1)
            elif is_now.get("additionalProperties") is False:
                yield inner, "is not known any more"
        if "items" in was and "items" in is_now:
            yield from self._asked(f"{where}/*", was["items"], is_now["items"], depth + 1)

    def _told(self, where: str, was: _Schema, is_now: _Schema, depth: int = 0) -> _Found:
        """What was promised to be told, and is not."""
        was, is_now = _led(self._old, was), _led(self._new, is_now)
        if depth > _DEPTH_MAX or _is_anything(was):
            return
        yield from _types(where, is_now, was, "may be {} now")
        yield from _required(where, was, is_now, "may be missing now")
        for name, one in was.get("properties", {}).items():
            inner = f"{where}/{name}"
            if name not in is_now.get("properties", {}):
                yield inner, "is not told any more"
            else:
                yield from self._told(inner, one, is_now["properties"][name], depth + 1)
        if "items" in was and "items" in is_now:
            yield from self._told(f"{where}/*", was["items"], is_now["items"], depth + 1)


def _body(described: _Schema | None) -> _Schema | None:
    content = (described or {}).get("content", {})
    found: _Schema | None = content.get("application/json", {}).get("schema")
    return found


def _sayable(schema: _Schema) -> _Schema:
    """What of a parameter can be said in a query or a header, where there is no null."""
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return choices[0] if len(choices) == 1 else schema


def _led(document: Mapping[str, Any], schema: _Schema) -> _Schema:
    """The schema itself; of a choice between one and null, that one, which may also be null."""
    if "$ref" in schema:
        return _led(document, document["components"]["schemas"][schema["$ref"].split("/")[-1]])
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        only = _led(document, choices[0])
        return {**only, "type": sorted({*_type_names(only), "null"})}
    return schema


def _is_anything(schema: _Schema) -> bool:
    return not schema.keys() & {"type", "properties", "items", "enum", "const", "anyOf", "oneOf"}


def _type_names(schema: _Schema) -> set[str]:
    named = schema.get("type", ())
    names = {named} if isinstance(named, str) else set(named)
    return names | {"integer"} if "number" in names else names


def _types(where: str, narrow: _Schema, wide: _Schema, what: str) -> _Found:
    """Each type of `narrow` must be one of `wide`."""
    if names := _type_names(wide):
        for name in sorted(_type_names(narrow) - names):
            yield where, what.format(name)


def _tighter(where: str, was: _Schema, is_now: _Schema) -> _Found:
    for bound in (*_MOST, *_LEAST):
        if bound not in is_now:
            continue
        before = was.get(bound)
        sign = 1 if bound in _MOST else -1
        if before is None or sign * is_now[bound] < sign * before:
            yield where, f"has a tighter {bound}: {before} became {is_now[bound]}"
    if "pattern" in is_now and is_now["pattern"] != was.get("pattern"):
        yield where, "has another pattern"


def _values(schema: _Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    found: list[Any] | None = schema.get("enum")
    return found


def _required(where: str, more: _Schema, fewer: _Schema, what: str) -> _Found:
    """What `more` requires, `fewer` should."""
    for name in sorted(set(more.get("required", ())) - set(fewer.get("required", ()))):
        if what == "is asked for now" or name in fewer.get("properties", {}):
            yield f"{where}/{name}", what
