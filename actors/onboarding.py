"""How our unit gets its certificate: each step is stored, and whoever asks again goes on there."""

from collections.abc import Callable

from actors.clock import Clock
from actors.gateways.authority import AuthorityUncertain, CsidAuthority
from actors.signing_request import UnitSubject, new_key, signing_request
from actors.stamp import certificate_of, read_key, stamp_of
from engine.audit.record import Action, acted
from engine.invoices.onboarding import (
    Certified,
    Csid,
    Onboarding,
    UnitCertificate,
    begun,
    certified,
    passed,
    recognised,
    samples,
)
from engine.kernel.messages import SYSTEM_CALLER
from engine.kernel.timing import SECOND_MS
from storage.unit_certificates import UnitCertificateStore


class Overtaken(Exception):
    """Somebody else goes on with the same unit."""


class Onboarder:
    """Takes one unit through the steps at one authority.

    `on_step` is told what was reached.
    """

    def __init__(
        self,
        store: UnitCertificateStore,
        authority: CsidAuthority,
        subject: UnitSubject,
        *,
        url: str,
        clock: Clock,
        on_step: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store, self._authority, self._subject = store, authority, subject
        self._url, self._clock, self._on_step = url, clock, on_step

    async def state(self) -> UnitCertificate:
        """What the unit has."""
        found = await self._store.find(self._subject.unit, self._url)
        return found or UnitCertificate(unit=self._subject.unit, authority=self._url)

    async def begin(self, *, renews: bool) -> UnitCertificate:
        """Make a key and a signing request, in the place of what was on its way.

        What is in force stays so. A renewal needs a certificate that is in force.
        """
        state, key = await self.state(), new_key()
        request = signing_request(self._subject, read_key(key.encode()), url=self._url)
        onboarding = Onboarding(
            started_at=self._clock.now(),
            documents=self._subject.documents,
            private_key=key,
            request=request,
            is_renewal=renews and state.certified is not None,
        )
        self._on_step("a key and a signing request were made")
        return await self._save(begun(state, onboarding))

    async def recognise(self, otp: str) -> UnitCertificate:
        """Show the one-time password; a renewal may be over with that.

        Raises:
            AuthorityUncertain: it may be used up: ask again, with another one if need be.
            CsidRefused: it has expired, or the request is not as it should be.
            Overtaken: somebody else goes on.
        """
        state = await self.state()
        onboarding = state.onboarding
        assert onboarding is not None, "it was begun before"
        if not onboarding.is_renewal:
            csid = await self._authority.recognise(onboarding.request, otp=otp)
            return await self._recognised(state, csid)
        assert state.certified is not None, "what is renewed is in force"
        csid, is_final = await self._authority.renew(
            onboarding.request, csid=state.certified.csid, otp=otp
        )
        if is_final:
            return await self._certify(state, csid)
        return await self._recognised(state, csid)

    async def finish(self) -> Certified:
        """From the compliance CSID on: what has not passed yet, and then the production CSID.

        Raises: as `recognise` does.
        """
        state = await self.state()
        onboarding = state.onboarding
        if onboarding is None:
            assert state.certified is not None, "it was begun before"
            return state.certified
        assert onboarding.csid is not None, "it was recognised before"
        stamp = stamp_of(onboarding.private_key, onboarding.csid)
        documents = samples(onboarding, self._subject.seller, stamp)
        for name in onboarding.to_check:
            await self._authority.check(documents[name], csid=onboarding.csid)
            state = await self._save(passed(state, name))
            self._on_step(f"{name} has passed")
        state = await self._certify(state, await self._authority.certify(onboarding.csid))
        assert state.certified is not None
        return state.certified

    async def _recognised(self, state: UnitCertificate, csid: Csid) -> UnitCertificate:
        self._must_match(state, csid)
        self._on_step("the authority has given a compliance CSID")
        return await self._save(recognised(state, csid))

    async def _certify(self, state: UnitCertificate, csid: Csid) -> UnitCertificate:
        self._must_match(state, csid)
        certificate = certificate_of(csid)
        expires_at = int(certificate.not_valid_after_utc.timestamp()) * SECOND_MS
        record = acted(
            SYSTEM_CALLER,
            Action.CERTIFY_UNIT,
            f"unit:{state.unit}",
            at=self._clock.now(),
            after={
                "authority": state.authority,
                "serial": str(certificate.serial_number),
                "expires_at": expires_at,
            },
        )
        after = certified(state, csid, expires_at=expires_at)
        if not await self._store.save(after, records=(record,)):
            raise Overtaken("somebody else goes on with this unit")
        self._on_step("the authority has given the production CSID: it is in force")
        return after

    @staticmethod
    def _must_match(state: UnitCertificate, csid: Csid) -> None:
        assert state.onboarding is not None
        try:
            stamp_of(state.onboarding.private_key, csid)
        except ValueError as error:
            raise AuthorityUncertain(f"the certificate is none of our key: {error}") from error

    async def _save(self, state: UnitCertificate) -> UnitCertificate:
        if not await self._store.save(state):
            raise Overtaken("somebody else goes on with this unit")
        return state
