"""Generated requests to the running service: every operation, by everybody, also one after another.

The cases are Schemathesis's: what the description allows and what it does not, the borders of every
bound, and chains of operations in which an answer feeds the next request.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import httpx2
import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import events

from api.list_queries import FIELDS
from api.versions import HEADER, NEWEST
from engine.kernel.messages import Role
from tests.fuzz.city import City

PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")
# They end the session that asks, so it is a new one's.
_ENDING: Final = frozenset({"log_out", "end_session"})
# A busy machine may take its time.
_PATIENCE_S: Final = 60
_FROM_KNOWN: Final = 0.8
_BODY_IDS: Final = ("quote_id", "order_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """`examples` are cases for each operation, and chains; the same seed tries the same."""

    examples: int
    seed: int
    phases: Sequence[str] = PHASES


@dataclass(slots=True)
class Found:
    """`cases` by phase, `answers` by operation and status; `faults` with how to see each again."""

    cases: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    def __iadd__(self, other: "Found") -> Self:
        """What both found."""
        self.cases += other.cases
        self.answers += other.answers
        self.faults = other.faults | self.faults
        return self


def fuzz(
    city: City,
    role: Role,
    effort: Effort,
    *,
    foreign: bool = False,
    on_cases: Callable[[int], object] = lambda _: None,
) -> Found:
    """Ask as somebody of a role all that is his to ask, or all that is not (`foreign`)."""
    document = httpx2.get(f"{city.url}/openapi.json", trust_env=False, timeout=_PATIENCE_S).json()
    meant = [one for one, roles in _askers(document).items() if (role in roles) != foreign]
    staying = [one for one in meant if one not in _ENDING]
    found = _ran(document, _config(city, city.tokens[role], staying, effort), role, on_cases)
    if ending := [one for one in meant if one in _ENDING]:
        alone = replace(effort, phases=[one for one in effort.phases if one != "stateful"])
        found += _ran(document, _config(city, city.token(role), ending, alone), role, on_cases)
    return found


def _askers(document: dict[str, Any]) -> dict[str, list[str]]:
    """The roles whose each operation is; what is open to all is the customer's."""
    return {
        operation["operationId"]: operation.get("x-roles", [Role.CUSTOMER])
        for methods in document["paths"].values()
        for operation in methods.values()
    }


def _ran(
    document: dict[str, Any],
    config: dict[str, Any],
    role: Role,
    on_cases: Callable[[int], object],
) -> Found:
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(config))
    found = Found()
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            on_cases(_take(event, role, found))
        elif isinstance(event, events.NonFatalError):
            found.faults[f"{role} {event.label}: {event.value!r}"] = ""
        elif isinstance(event, events.FatalError):
            raise event.exception
    return found


def _take(event: events.ScenarioFinished, role: Role, found: Found) -> int:
    recorder = event.recorder
    labels = {id_: one.value.operation.label for id_, one in recorder.cases.items()}
    for case_id, interaction in recorder.interactions.items():
        if interaction.response is not None:
            found.cases[event.phase.value] += 1
            found.answers[labels[case_id], interaction.response.status_code] += 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            info = check.failure_info
            if info is None or _is_of_cleaned_text(check.name, info.failure):
                continue
            if not _is_of_cut_answer(check.name, recorder.cases[case_id].value.query):
                name = f"{role} {labels[case_id]}: {check.name}: {info.failure.title}"
                found.faults.setdefault(name, f"{info.failure.message}\n{info.code_sample}")
    return len(recorder.interactions)


def _is_of_cleaned_text(check: str, failure: Failure) -> bool:
    """A text is measured as it is stored: without control characters and spaces around it."""
    return check == "negative_data_rejection" and "`maxLength`" in failure.message


def _is_of_cut_answer(check: str, query: dict[str, Any] | None) -> bool:
    """What was left out because of `fields` is missing where the whole is described."""
    return check == "response_schema_conformance" and any((query or {}).get(FIELDS) or ())


def _config(city: City, token: str, operations: Sequence[str], effort: Effort) -> dict[str, Any]:
    known = {name: {"dictionary": name, "probability": _FROM_KNOWN} for name in city.known}
    return {
        "base-url": city.url,
        "request-timeout": _PATIENCE_S,
        "headers": {HEADER: NEWEST},
        "seed": effort.seed,
        "auth": {"openapi": {"HTTPBearer": {"bearer": token}}},
        "dictionaries": {name: {"values": values} for name, values in city.known.items()},
        "parameters": {
            **{f"path.{name}": one for name, one in known.items()},
            **{f"body.{name}": known[name] for name in _BODY_IDS},
        },
        "operations": [{"exclude-operation-id": list(operations), "enabled": False}],
        "generation": {"max-examples": effort.examples, "database": "none"},
        "phases": {name: {"enabled": name in effort.phases} for name in PHASES},
        "checks": {
            # A rule may refuse what the description allows; which codes it has is described.
            "positive_data_acceptance": {"enabled": False},
            # What is away, or has too much to do, says so with 503; a bug is 500.
            "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", 503]},
        },
        "output": {"sanitization": {"enabled": False}},
    }
