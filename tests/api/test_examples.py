"""The examples of the description are tried: each request is sent, each answer is as described."""

from typing import Any

import pytest

from api.examples import examples
from tests.api.town import Town, a_town
from tests.api.walk import ELSEWHERE, Walk, walk


@pytest.fixture
async def empty_town(tmp_path: Any) -> Any:
    async with a_town(tmp_path, is_open=False) as running:
        yield running


async def test_every_request_is_answered_as_the_description_says(empty_town: Town) -> None:
    walked = await walk(empty_town)
    assert set(walked.answers) == walked.operations - set(ELSEWHERE), (
        "give a new operation its example in api/examples.json and its place in tests/api/walk.py, "
        "then run make examples"
    )
    asked = {name for name, one in examples().items() if "request" in one}
    told = {name for name, one in examples().items() if "answer" in one}
    assert asked == {name for name in walked.operations if walked.takes_body(name)}
    assert told == {name for name, answer in walked.answers.items() if answer is not None}
    for name in asked:
        assert walked.faults_of_request(name, examples()[name]["request"]) == [], name
    for name, live in walked.answers.items():
        if live is not None:
            assert walked.faults_of_answer(name, examples()[name]["answer"]) == [], name
            assert set(live) == set(examples()[name]["answer"]), f"{name}: run make examples"


async def test_every_problem_has_an_example_that_is_one(empty_town: Town) -> None:
    described = Walk(empty_town)
    for code, one in described.document["components"]["examples"].items():
        schema = {"$ref": "#/components/schemas/Problem"}
        assert described.faults(schema, one["value"]) == [], code
        assert one["value"]["code"] == code
