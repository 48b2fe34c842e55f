"""A client in Dart, without a dependency: the app hands in how a request is sent.

Values of enumerations are texts, since there may be new ones; a field that is not required is
null when it is not told, and not sent when it is null.
"""

import keyword
import re
from collections.abc import Iterator
from typing import Any, Final

from api.versions import HEADER

_HEAD: Final = """\
// Made from the description of the interface; changes are lost when it is made again.
// ignore_for_file: type=lint

import 'dart:convert';

const String version = '{version}';

/// What is to be sent; `path` has its query already.
final class Request {{
  const Request(this.method, this.path, this.headers, this.body);
  final String method;
  final String path;
  final Map<String, String> headers;
  final String? body;
}}

final class Answer {{
  const Answer(this.status, this.body);
  final int status;
  final String body;
}}

typedef Send = Future<Answer> Function(Request request);

/// A refusal; `code` is stable, `title` is for people.
final class Refused implements Exception {{
  const Refused(this.status, this.code, this.title, this.problem);
  final int status;
  final String code;
  final String title;
  final Map<String, Object?> problem;
}}
"""
_CLIENT: Final = """
final class Hadiyati {{
  Hadiyati(this._send, {{this.token, this.language = 'ar'}});
  final Send _send;
  String? token;
  String language;

  Future<Object?> _ask(
    String method,
    String path, {{
    Map<String, Object?> query = const {{}},
    Map<String, String?> headers = const {{}},
    Object? body,
  }}) async {{
    final pairs = [
      for (final one in query.entries)
        for (final value in one.value is List<Object?> ? one.value as List<Object?> : [one.value])
          if (value != null) '${{_escaped(one.key)}}=${{_escaped('$value')}}',
    ];
    final sent = <String, String>{{
      '{header}': version,
      'Accept-Language': language,
      if (token != null) 'Authorization': 'Bearer $token',
      if (body != null) 'Content-Type': 'application/json',
      for (final one in headers.entries)
        if (one.value != null) one.key: one.value as String,
    }};
    final whole = pairs.isEmpty ? path : '$path?${{pairs.join('&')}}';
    final text = body == null ? null : jsonEncode(body);
    final answer = await _send(Request(method, whole, sent, text));
    if (answer.status >= 300) {{
      final problem = jsonDecode(answer.body) as Map<String, Object?>;
      throw Refused(answer.status, '${{problem['code']}}', '${{problem['title']}}', problem);
    }}
    return jsonDecode(answer.body);
  }}
{methods}}}

String _escaped(String text) => Uri.encodeQueryComponent(text);
"""
# Of the language, and of the methods that are made.
_OF_DART: Final = ("case", "const", "default", "do", "enum", "extends", "false", "new", "null")
_MORE_OF_DART: Final = ("super", "switch", "this", "throw", "true", "var", "void")
_OURS: Final = ("version", "body", "headers")
_KEYWORDS: Final = frozenset((*keyword.kwlist, *_OF_DART, *_MORE_OF_DART, *_OURS))
_MAP: Final = "Map<String, Object?>"
_SCALARS: Final = {"string": "String", "integer": "int", "number": "double", "boolean": "bool"}
_JSON: Final = "application/json"
_IN_PATH: Final = re.compile(r"\{(\w+)\}")


def dart_client(document: dict[str, Any]) -> str:
    """The whole file, from a description for clients."""
    dart = _Dart(document["components"]["schemas"])
    classes = "".join(map("".join, map(dart.of_class, sorted(dart.classes))))
    methods = "".join(
        dart.of_method(method.upper(), path, operation)
        for path, found in document["paths"].items()
        for method, operation in found.items()
        if _told(operation) and not _takes_file(operation)
    )
    head = _HEAD.format(version=document["info"]["version"])
    return head + classes + _CLIENT.format(header=HEADER, methods=methods)


class _Dart:
    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self.classes = {name for name, one in schemas.items() if one.get("properties")}

    def of_class(self, name: str) -> Iterator[str]:
        schema = self._schemas[name]
        fields = [
            (key, _camel(key), one, key in schema.get("required", ()))
            for key, one in schema["properties"].items()
        ]
        yield f"\n/// {_first_line(schema)}\nfinal class {name} {{\n  const {name}({{\n"
        for _, field, one, required in fields:
            yield f"    {'required ' if required and not _may_be_null(one) else ''}this.{field},\n"
        yield f"  }});\n\n  factory {name}.fromJson({_MAP} json) => {name}(\n"
        for key, field, one, required in fields:
            value = self._read(f"json['{key}']", one, required=required)
            yield f"        {field}: {value},\n"
        yield "      );\n\n"
        for _, field, one, required in fields:
            yield f"  final {self._type(one, required=required)} {field};\n"
        yield f"\n  {_MAP} toJson() => {{\n"
        for key, field, one, required in fields:
            given = "" if required and not _may_be_null(one) else f"if ({field} != null) "
            yield f"        {given}'{key}': {field},\n"
        yield "      };\n}\n"

    def of_method(self, method: str, path: str, operation: dict[str, Any]) -> str:
        told = _told(operation)
        assert told is not None
        parameters = operation.get("parameters", ())
        asked = [self._argument(_camel(one["name"]), one, one["schema"]) for one in parameters]
        sent = [f"'{method}'", f"'{re.sub(_IN_PATH, _encoded, path)}'"]
        for place, label in (("query", "query"), ("header", "headers")):
            names = [one["name"] for one in parameters if one["in"] == place]
            pairs = ", ".join(f"'{name}': {_camel(name)}" for name in names)
            sent += [f"{label}: {{{pairs}}}"] if pairs else []
        if (body := operation.get("requestBody")) is not None:
            asked = [self._argument("body", body, body["content"][_JSON]["schema"]), *asked]
            sent.append("body: body")
        call = f"await _ask({', '.join(sent)})"
        arguments = f"{{{', '.join(asked)}}}" if asked else ""
        name = _camel(operation["operationId"])
        return (
            f"\n  /// {_first_line(operation)}\n"
            f"  Future<{self._type(told)}> {name}({arguments}) async =>\n"
            f"      {self._read(call, told)};\n"
        )

    def _argument(self, name: str, one: dict[str, Any], schema: dict[str, Any]) -> str:
        required = one.get("required", False)
        return f"{'required ' if required else ''}{self._type(schema, required=required)} {name}"

    def _led(self, schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The name of a class, if it is one, and the schema; of one or null, that one."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return (name if name in self.classes else "", self._schemas[name])
        choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        return self._led(choices[0]) if len(choices) == 1 else ("", schema)

    def _type(self, schema: dict[str, Any], *, required: bool = True) -> str:
        name, found = self._led(schema)
        mark = "" if required and not _may_be_null(schema) else "?"
        if name:
            return name + mark
        match found.get("type"):
            case "array":
                return f"List<{self._type(found.get('items', {}))}>{mark}"
            case "object":
                return _MAP + mark
            case str() as scalar if scalar in _SCALARS:
                return _SCALARS[scalar] + mark
            case _:
                return "Object?"

    def _read(self, value: str, schema: dict[str, Any], *, required: bool = True) -> str:
        """The expression that makes a value of what JSON has."""
        if not required or _may_be_null(schema):
            inner = self._read(value, _without_null(schema))
            return f"{value} == null ? null : {inner}" if self._type(schema) != "Object?" else value
        name, found = self._led(schema)
        if name:
            return f"{name}.fromJson({value} as {_MAP})"
        match found.get("type"):
            case "array":
                each = self._read("one", found.get("items", {}))
                return f"[for (final one in {value} as List<Object?>) {each}]"
            case "number":
                return f"({value} as num).toDouble()"
            case _ if (kind := self._type(schema)) != "Object?":
                return f"{value} as {kind}"
            case _:
                return value


def _told(operation: dict[str, Any]) -> dict[str, Any] | None:
    for status, answer in operation["responses"].items():
        if status != "default" and _JSON in answer.get("content", {}):
            found: dict[str, Any] = answer["content"][_JSON]["schema"]
            return found
    return None


def _takes_file(operation: dict[str, Any]) -> bool:
    """Files are sent as they are, by whatever an app sends files with."""
    content = operation.get("requestBody", {}).get("content", {})
    return bool(content) and _JSON not in content


def _may_be_null(schema: dict[str, Any]) -> bool:
    return any(one.get("type") == "null" for one in schema.get("anyOf", ()))


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return {**schema, "anyOf": choices} if choices else schema


def _encoded(found: re.Match[str]) -> str:
    return f"${{Uri.encodeComponent('${_camel(found[1])}')}}"


def _camel(name: str) -> str:
    first, *rest = [one for one in re.split(r"\W+|_", name) if one]
    camel = first[0].lower() + first[1:] + "".join(one[0].upper() + one[1:] for one in rest)
    return f"{camel}_" if camel in _KEYWORDS else camel


def _first_line(schema: dict[str, Any]) -> str:
    return str(schema.get("description", "")).partition("\n")[0]
