"""The last run of each job that runs by itself."""

from typing import Protocol

from engine.jobs import Job, JobName
from storage.database import Database
from storage.kinds import decode, encode
from storage.queries import queries


class JobStore(Protocol):
    """Every method may raise `StoreUnavailable`."""

    async def save(self, job: Job) -> bool:
        """Keep the next version of a job's run; False when somebody else was quicker."""
        ...

    async def find(self, name: JobName) -> Job | None:
        """The last run, or None before the first."""
        ...


class PostgresJobs:
    """Satisfies `JobStore`; the pool is its caller's to close."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, job: Job) -> bool:
        query = queries.add_job if job.version == 1 else queries.change_job
        return bool(
            await self._database.run(
                query, name=job.name.value, version=job.version, state=encode(job)
            )
        )

    async def find(self, name: JobName) -> Job | None:
        state = await self._database.value(queries.find_job, name=name.value)
        return None if state is None else decode(Job, state)


class MemoryJobs:
    """The in-memory twin; nothing in it waits."""

    def __init__(self) -> None:
        self._kept: dict[JobName, Job] = {}

    async def save(self, job: Job) -> bool:
        last = self._kept.get(job.name)
        if job.version != (last.version if last else 0) + 1:
            return False
        self._kept[job.name] = job
        return True

    async def find(self, name: JobName) -> Job | None:
        return self._kept.get(name)
