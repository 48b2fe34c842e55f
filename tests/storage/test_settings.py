"""Every setting of storage explains itself and has its bounds."""

import pytest
from pydantic import BaseModel, ValidationError

from storage.settings import DatabaseSettings, DataSettings, RedisSettings

GROUPS: list[type[BaseModel]] = [DataSettings, DatabaseSettings, RedisSettings]


@pytest.mark.parametrize("group", GROUPS)
def test_every_setting_is_described_and_has_a_default(group: type[BaseModel]) -> None:
    for name, field in group.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert not field.is_required(), name


@pytest.mark.parametrize("group", GROUPS)
def test_every_number_is_bounded_on_both_sides(group: type[BaseModel]) -> None:
    for name, schema in group.model_json_schema()["properties"].items():
        for kind in schema.get("anyOf", [schema]):
            if kind.get("type") in ("integer", "number"):
                assert {"minimum", "exclusiveMinimum"} & kind.keys(), name
                assert "maximum" in kind, name


@pytest.mark.parametrize("group", GROUPS)
def test_an_unknown_setting_is_refused(group: type[BaseModel]) -> None:
    with pytest.raises(ValidationError):
        group.model_validate({"no_such_setting": 1})


def test_an_address_with_a_password_is_not_shown() -> None:
    settings = DatabaseSettings.model_validate({"dsn": "postgresql://me:hush@host/gifts"})
    assert "hush" not in repr(settings)
