"""What people send as files: photos of proof, documents, attachments; and what may be sent."""

from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct

from engine.kernel.ids import OrderId, UserId, derived_id
from engine.kernel.messages import Caller, Role
from engine.kernel.refusals import Refusal, RefusalKind, declare
from engine.kernel.timing import Instant

UploadId = NewType("UploadId", str)


class UploadPurpose(StrEnum):
    """What a file is for."""

    PROOF_PHOTO = "proof_photo"
    SIGNATURE = "signature"
    DOCUMENT = "document"
    CHAT_ATTACHMENT = "chat_attachment"


class MediaType(StrEnum):
    """What a file is by its content, whatever its sender called it."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    PDF = "application/pdf"


class Upload(Struct, frozen=True, kw_only=True):
    """A file as it is kept: made anew from what was sent, so that nothing else is in it.

    `sent_digest` is the SHA-256 of what was sent, in hexadecimal, by which a repetition is known.
    Width and height are in pixels, of a document those of its first page. `is_scanned` says whether
    a virus scanner saw it.
    """

    id: UploadId
    owner_id: UserId
    purpose: UploadPurpose
    order_id: OrderId | None = None
    media_type: MediaType
    size_bytes: int
    width: int
    height: int
    pages: int = 1
    sent_digest: str
    is_scanned: bool
    made_at: Instant


PICTURES: Final = frozenset({MediaType.JPEG, MediaType.PNG, MediaType.WEBP})
_FOR: Final[dict[UploadPurpose, frozenset[MediaType]]] = {
    UploadPurpose.PROOF_PHOTO: PICTURES,
    UploadPurpose.SIGNATURE: PICTURES,
    UploadPurpose.DOCUMENT: PICTURES | {MediaType.PDF},
    UploadPurpose.CHAT_ATTACHMENT: PICTURES | {MediaType.PDF},
}
_BY: Final[dict[UploadPurpose, frozenset[Role]]] = {
    UploadPurpose.PROOF_PHOTO: frozenset({Role.COURIER}),
    UploadPurpose.SIGNATURE: frozenset({Role.COURIER}),
    UploadPurpose.DOCUMENT: frozenset({Role.COURIER}),
    UploadPurpose.CHAT_ATTACHMENT: frozenset({Role.CUSTOMER, Role.COURIER, Role.OPERATOR}),
}
OF_A_DELIVERY: Final = frozenset({UploadPurpose.PROOF_PHOTO, UploadPurpose.SIGNATURE})
# A PDF says what it is in its first bytes; one that begins with something else is two things.
_BEGINNINGS: Final[tuple[tuple[bytes, MediaType], ...]] = (
    (b"\xff\xd8\xff", MediaType.JPEG),
    (b"\x89PNG\r\n\x1a\n", MediaType.PNG),
    (b"%PDF-", MediaType.PDF),
)

UNKNOWN_UPLOAD = declare(
    "unknown_upload",
    RefusalKind.NOT_FOUND,
    en="There is no such file, or it is not yours to see.",
    ar="لا يوجد ملف بهذا الرقم أو لا يحق لك الاطلاع عليه.",
)
NOT_A_FILE_FOR_THIS = declare(
    "not_a_file_for_this",
    RefusalKind.INVALID,
    en="This kind of file is not taken here. Send a photo as JPEG, PNG or WebP; documents may also "
    "be PDFs.",
    ar="هذا النوع من الملفات غير مقبول هنا. أرسل صورة بصيغة JPEG أو PNG أو WebP، "
    "ويمكن أن تكون المستندات بصيغة PDF.",
)
UNREADABLE_FILE = declare(
    "unreadable_file",
    RefusalKind.INVALID,
    en="The file is damaged, or has too many pixels or pages. Take the photo again, or send it "
    "smaller.",
    ar="الملف تالف أو عدد صفحاته أو نقاطه كبير جدًا. التقط الصورة من جديد أو أرسلها بحجم أصغر.",
)
INFECTED_FILE = declare(
    "infected_file",
    RefusalKind.INVALID,
    en="The virus scanner found something in this file, so it was not kept.",
    ar="عثر فاحص الفيروسات على شيء في هذا الملف فلم يُحفظ.",
)
TOO_MANY_UPLOADS = declare(
    "too_many_uploads",
    RefusalKind.TOO_MANY,
    en="You have sent as many files as one may in a day. Try again tomorrow.",
    ar="أرسلت أقصى عدد من الملفات المسموح به في اليوم. حاول غدًا.",
)


def media_type_of(content: bytes) -> MediaType | None:
    """What it is by its first bytes; None for what is never taken."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return MediaType.WEBP
    return next((kind for begin, kind in _BEGINNINGS if content.startswith(begin)), None)


def may_upload(caller: Caller, purpose: UploadPurpose) -> bool:
    """Whether somebody in this role sends files for this."""
    return caller.role in _BY[purpose]


def fits(purpose: UploadPurpose, kind: MediaType | None) -> Refusal | None:
    """Why such a file is not taken for this, if so."""
    return None if kind in _FOR[purpose] else NOT_A_FILE_FOR_THIS(purpose=purpose.value)


def upload_id_of(request: str) -> UploadId:
    """The one file that a request with a key can become."""
    return UploadId(derived_id("upload", request))


def object_key(upload_id: UploadId) -> str:
    """Under which name the object store has it; nothing of it was chosen by its sender."""
    return f"uploads/{upload_id[:2]}/{upload_id}"
