"""The e-mails that tell operators and admins of a change in how they get in."""

from actors.gateways.mail import Mail, MailGateway, deliver
from engine.identity.access_changes import AccessChange, TellAccessChange
from engine.identity.profiles import Language
from engine.kernel.messages import Effect, Role
from storage.identity import IdentityStore
from storage.staff import StaffStore

_TEXTS = {
    (AccessChange.PASSWORD_CHANGED, Language.ARABIC): (
        "تغيّرت كلمة مرورك في هديتي",
        (
            "تغيّرت كلمة مرور حسابك قبل قليل، وانتهت جلساتك الأخرى.\n\nإن لم تكن أنت من فعل ذلك "
            "فاختر كلمة مرور جديدة من صفحة الدخول الآن وأخبر مدير النظام.\n"
        ),
    ),
    (AccessChange.PASSWORD_CHANGED, Language.ENGLISH): (
        "Your password for Hadiyati was changed",
        (
            "The password of your account was changed a moment ago, and your other sessions have "
            "ended.\n\nIf that was not you, reset the password on the log-in page now, and tell "
            "an admin.\n"
        ),
    ),
    (AccessChange.FACTORS_CHANGED, Language.ARABIC): (
        "وسائل دخولك إلى هديتي جديدة",
        (
            "قُبلت دعوة إلى حسابك قبل قليل: لكلمة المرور وتطبيق المصادقة قيم جديدة، وانتهت جلساتك "
            "السابقة.\n\nإن لم تكن أنت من فعل ذلك فأخبر مدير النظام الآن.\n"
        ),
    ),
    (AccessChange.FACTORS_CHANGED, Language.ENGLISH): (
        "You get in to Hadiyati by new factors",
        (
            "An invitation to your account was accepted a moment ago: it has a new password and a "
            "new authenticator, and what was open before has ended.\n\nIf that was not you, tell "
            "an admin now.\n"
        ),
    ),
    (AccessChange.NEW_DEVICE, Language.ARABIC): (
        "دخول إلى هديتي من جهاز جديد",
        (
            "دخل أحدهم إلى حسابك قبل قليل من جهاز لم يُستخدم من قبل. تجد جلساتك في صفحة الحساب."
            "\n\nإن لم تكن أنت فاختر كلمة مرور جديدة من صفحة الدخول الآن وأخبر مدير النظام.\n"
        ),
    ),
    (AccessChange.NEW_DEVICE, Language.ENGLISH): (
        "A log-in to Hadiyati from a new device",
        (
            "Somebody logged in to your account a moment ago, on a device that was not used "
            "before. Your sessions are listed on your account's page.\n\nIf that was not you, "
            "reset the password on the log-in page now, and tell an admin.\n"
        ),
    ),
}


class AccessMails:
    """Carries out `TellAccessChange`."""

    def __init__(self, store: StaffStore, people: IdentityStore, mail: MailGateway) -> None:
        self._store = store
        self._people = people
        self._mail = mail

    async def send(self, effect: Effect) -> None:
        """Write to whose account it is; who has none any more is told nothing."""
        assert isinstance(effect, TellAccessChange)
        account = await self._store.find_account_of(effect.user_id)
        if account is None:
            return
        language = await self._language(effect)
        subject, text = _TEXTS[effect.change, language]
        mail = Mail(to=account.email, subject=subject, text=text)
        await deliver(self._mail, mail, effect.id)

    async def _language(self, effect: TellAccessChange) -> Language:
        for role in (effect.role,) if effect.role else (Role.OPERATOR, Role.ADMIN):
            profile = await self._people.find_profile(effect.user_id, role)
            if profile is not None:
                return profile.language
        return Language.ARABIC
