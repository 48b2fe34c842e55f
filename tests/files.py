"""Files that people send, honest ones and others, made as small as they can be."""

import io
import struct
import zlib

from PIL import Image

# Degrees, minutes and seconds of a place that nobody should read from a photo.
PLACE = {1: "N", 2: (24.0, 42.0, 31.0), 3: "E", 4: (46.0, 40.0, 18.0)}
SECRET = "Canon of Noura"
SCRIPT = b"<script>alert(1)</script>"


def a_photo(
    width: int = 64, height: int = 48, *, kind: str = "JPEG", turned: bool = False
) -> bytes:
    """A photo as a telephone makes it, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x0110] = SECRET
    if turned:
        exif[0x0112] = 6
    exif.get_ifd(0x8825).update(PLACE)
    made = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(made, kind, exif=exif)
    return made.getvalue()


def a_drawing() -> bytes:
    """A signature: black on nothing."""
    made = io.BytesIO()
    drawn = Image.new("RGBA", (80, 30), (0, 0, 0, 0))
    drawn.putpixel((3, 3), (0, 0, 0, 255))
    drawn.save(made, "PNG")
    return made.getvalue()


def a_document(pages: int = 1, *, width: int = 72, padding: int = 0) -> bytes:
    """A PDF with a script that runs when it is opened; `padding` unpacks to so many bytes."""
    line = zlib.compress(b"1 0 0 RG 5 5 m 60 60 l S\n" + b" " * padding, 9)
    kids = b" ".join(b"%d 0 R" % (4 + page) for page in range(pages))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d 72]/Contents 3 0 R>>" % width
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(line), line),
        *[page] * pages,
    ]
    written, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return written + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (size, table, size, len(written))
    )


def a_bomb(width: int, height: int) -> bytes:
    """A PNG of some kilobytes that unpacks to all these pixels."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(width // 8 + 1) * height, 9)
    parts = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
