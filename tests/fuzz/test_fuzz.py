"""Whatever is sent, nothing breaks and every answer is one that the description has."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from api.description import document
from storage.migrate import migrate
from tests.fixtures.servers import Databases
from tests.fuzz.city import PEOPLE, City, a_city_beside
from tests.fuzz.fuzzing import Effort, Found, fuzz

# Examples are tried elsewhere; the borders of every bound are the long run's (`make fuzz-api`):
# they are too many to try each time.
EFFORT = Effort(examples=2, seed=20_261_101, phases=("fuzzing", "stateful"))


@pytest.fixture(scope="module")
def city(
    databases: Databases, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[City]:
    owner = databases.create()
    asyncio.run(migrate(owner))
    # What the service may not do in its database, it must not need.
    dsn = databases.serving(owner)
    folder = tmp_path_factory.mktemp("city")
    with a_city_beside(folder, dsn=dsn, redis_url=redis_url) as running:
        yield running
    databases.drop_served(owner)


@pytest.mark.timeout(300)
def test_nothing_breaks_and_every_answer_is_described(city: City) -> None:
    found = Found()
    for role in PEOPLE:
        found += fuzz(city, role, EFFORT)
    assert not found.faults, "\n\n".join(f"{one}\n{how}" for one, how in found.faults.items())
    asked = Counter(label for label, _ in found.answers.elements())
    described = {
        f"{method.upper()} {path}"
        for path, methods in document()["paths"].items()
        for method in methods
    }
    assert set(asked) == described
    succeeded = {label for label, status in found.answers if status < 300}
    assert len(succeeded) >= len(described) / 4, "most requests are refused before they do anything"
