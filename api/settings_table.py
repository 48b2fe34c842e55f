"""The table of all settings, made from the code."""

from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from api.settings import CONFIG, CONFIG_FILE, DELIMITER, PREFIX, Settings

_HEAD = f"""\
# Settings

Made by `hadiyati settings --write`; do not edit.

A setting is read from the environment (`{PREFIX}EDGE{DELIMITER}PORT=9000`), else from the file
`{CONFIG_FILE}` in the working directory (or the file that `{CONFIG}` names):

```toml
[edge]
port = 9000
```

Lists are written as JSON in the environment: `{PREFIX}IDENTITY{DELIMITER}OPERATORS='["+9665…"]'`.
"""
_HEADINGS = "| variable | default | bounds | meaning |\n|---|---|---|---|\n"


def table() -> str:
    """All of it as Markdown, a section for each group."""
    return _HEAD + "".join(_section(name, field) for name, field in Settings.model_fields.items())


def _section(name: str, field: FieldInfo) -> str:
    group = field.annotation
    assert isinstance(group, type)
    assert issubclass(group, BaseModel)
    about = (group.__doc__ or "").strip().splitlines()[0]
    schema = group.model_json_schema()["properties"]
    rows = "".join(
        f"| `{PREFIX}{name.upper()}{DELIMITER}{setting.upper()}` | {_default(one)} "
        f"| {_bounds(schema[setting])} | {_cell(one.description or '')} |\n"
        for setting, one in group.model_fields.items()
    )
    return f"\n## {name}\n\n{about}\n\n{_HEADINGS}{rows}"


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None or value in ("", ()):
        return "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _bounds(schema: dict[str, Any]) -> str:
    found = [schema, *schema.get("anyOf", ())]
    for one in found:
        low = one.get("minimum", one.get("exclusiveMinimum"))
        high = one.get("maximum", one.get("exclusiveMaximum"))
        if low is not None and high is not None:
            return f"{_above(one)}{_number(low)} to {_number(high)}"
        if low is not None:
            return f"{'above ' if _above(one) else 'at least '}{_number(low)}"
    return ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _above(schema: dict[str, Any]) -> str:
    return "above " if "exclusiveMinimum" in schema else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
