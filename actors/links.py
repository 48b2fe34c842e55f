"""The e-mails with links: what stands in them, and how they leave."""

from actors.clock import Clock
from actors.gateways.mail import Mail, MailGateway, deliver
from engine.identity import links
from engine.identity.links import Link, LinkPurpose, SendLink
from engine.identity.profiles import Language
from engine.kernel.messages import Effect, Role
from storage.staff import StaffStore

_PATHS = {
    LinkPurpose.INVITE: "invitation",
    LinkPurpose.RESET_PASSWORD: "new-password",
    LinkPurpose.VERIFY_EMAIL: "verified-email",
}
_ROLES = {
    Role.OPERATOR: {Language.ARABIC: "مشغّلًا", Language.ENGLISH: "an operator"},
    Role.ADMIN: {Language.ARABIC: "مديرًا", Language.ENGLISH: "an admin"},
}
_TEXTS = {
    (LinkPurpose.INVITE, Language.ARABIC): (
        "دعوتك إلى هديتي",
        (
            "أهلًا بك.\n\nدُعيت لتكون {role} في هديتي. افتح هذا الرابط خلال سبعة أيام لاختيار كلمة "
            "المرور وربط تطبيق المصادقة:\n\n{url}\n\nيُستخدم الرابط مرة واحدة. إن لم تكن تنتظر هذه "
            "الدعوة فتجاهل الرسالة.\n"
        ),
    ),
    (LinkPurpose.INVITE, Language.ENGLISH): (
        "Your invitation to Hadiyati",
        (
            "Welcome.\n\nYou are invited to be {role} of Hadiyati. Open this link within seven "
            "days to choose a password and connect an authenticator:\n\n{url}\n\nThe link works "
            "once. If you do not expect an invitation, ignore this message.\n"
        ),
    ),
    (LinkPurpose.RESET_PASSWORD, Language.ARABIC): (
        "كلمة مرور جديدة في هديتي",
        (
            "افتح هذا الرابط خلال نصف ساعة لاختيار كلمة مرور جديدة:\n\n{url}\n\nيُستخدم الرابط مرة "
            "واحدة، وبعده تنتهي كل جلساتك. إن لم تطلب ذلك فتجاهل الرسالة: لم يتغيّر شيء.\n"
        ),
    ),
    (LinkPurpose.RESET_PASSWORD, Language.ENGLISH): (
        "A new password for Hadiyati",
        (
            "Open this link within half an hour to choose a new password:\n\n{url}\n\nThe link "
            "works once, and ends all your sessions. If you did not ask for it, ignore this "
            "message: nothing has changed.\n"
        ),
    ),
    (LinkPurpose.VERIFY_EMAIL, Language.ARABIC): (
        "تأكيد بريدك الإلكتروني في هديتي",
        (
            "افتح هذا الرابط خلال يوم لتأكيد أن هذا بريدك:\n\n{url}\n\nإن لم تطلب ذلك فتجاهل "
            "الرسالة.\n"
        ),
    ),
    (LinkPurpose.VERIFY_EMAIL, Language.ENGLISH): (
        "Is this your e-mail, for Hadiyati?",
        (
            "Open this link within a day to confirm that this is your e-mail:\n\n{url}\n\nIf you "
            "did not ask for it, ignore this message.\n"
        ),
    ),
}


class LinkMails:
    """Carries out `SendLink`; `console` is where the pages are that links open."""

    def __init__(
        self, store: StaffStore, mail: MailGateway, *, wall: Clock, key: bytes, console: str
    ) -> None:
        self._store = store
        self._mail = mail
        self._wall = wall
        self._key = key
        self._console = console

    def url(self, link: Link) -> str:
        """The token is a fragment, which no server is told and no log keeps."""
        return f"{self._console}/{_PATHS[link.purpose]}#{links.token(link, self._key)}"

    async def send(self, effect: Effect) -> None:
        """Send what is still wanted; whoever asked cannot tell whether anybody was written to."""
        assert isinstance(effect, SendLink)
        link = await self._store.find_link(effect.link_id)
        if link is None or link.sends != effect.sends or not link.is_open(self._wall.now()):
            return
        is_known = await self._store.find_account(link.email) is not None
        if link.purpose is LinkPurpose.RESET_PASSWORD and not is_known:
            return
        await deliver(self._mail, self._mail_with(link), effect.id)

    def _mail_with(self, link: Link) -> Mail:
        subject, text = _TEXTS[link.purpose, link.language]
        # Only who is invited is told into which role.
        role = _ROLES.get(link.role, {}).get(link.language, "") if link.role else ""
        return Mail(to=link.email, subject=subject, text=text.format(url=self.url(link), role=role))
