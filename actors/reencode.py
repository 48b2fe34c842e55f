"""A program that makes a photo or a document anew from standard input, with little to lose.

It runs in a process of its own, whose memory and time are limited, so that a file that was made
to break a decoder breaks nothing else: `python -I reencode.py KIND PIXELS SIDE PAGES`. It writes
width, height and pages as a line, then the file. Status 2: the file is not what it should be.
"""

import io
import resource
import sys
import warnings
from typing import Final

MEMORY_BYTES_MAX: Final = 1024 * 1024 * 1024
CPU_S_MAX: Final = 20
UNREADABLE: Final = 2
_QUALITY: Final = 85
# A page of A4 at 150 dots in an inch is read and printed well.
_PAGE_SCALE: Final = 150 / 72
_PAGE_POINTS_MAX: Final = 3000


def main(kind: str, pixels_max: str, side_max: str, pages_max: str) -> None:
    """Read, make anew, write."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("error")
    content = sys.stdin.buffer.read()
    try:
        if kind == "PDF":
            size, pages, made = document(content, int(side_max), int(pages_max))
        else:
            size, pages, made = picture(content, kind, int(pixels_max), int(side_max))
    except Exception as error:  # noqa: BLE001 - decoders raise anything at what was made to break them
        print(type(error).__name__, file=sys.stderr)  # noqa: T201 - its voice is a stream
        sys.exit(UNREADABLE)
    sys.stdout.buffer.write(f"{size[0]} {size[1]} {pages}\n".encode() + made)


def picture(
    content: bytes, kind: str, pixels_max: int, side_max: int
) -> tuple[tuple[int, int], int, bytes]:
    """The pixels and nothing else: upright, no side longer than allowed, a WebP as a JPEG."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - after the limits

    with Image.open(io.BytesIO(content), formats=(kind,)) as opened:
        if opened.width * opened.height > pixels_max:
            raise ValueError("too many pixels")
        # A JPEG is read at half, a quarter or an eighth of its size where that is enough.
        opened.draft("RGB", (side_max, side_max))
        drawn = ImageOps.exif_transpose(opened)
    drawn.thumbnail((side_max, side_max), Image.Resampling.LANCZOS)
    is_drawing = kind == "PNG"
    flat = drawn.convert("RGBA" if is_drawing and drawn.has_transparency_data else "RGB")
    # Only the pixels go over, for whatever else a file holds hangs on the object.
    clean = Image.new(flat.mode, flat.size)
    clean.paste(flat)
    made = io.BytesIO()
    if is_drawing:
        clean.save(made, "PNG")
    else:
        clean.save(made, "JPEG", quality=_QUALITY)
    return clean.size, 1, made.getvalue()


def document(content: bytes, side_max: int, pages_max: int) -> tuple[tuple[int, int], int, bytes]:
    """Pictures of the pages, bound as a PDF: no scripts, no attachments, nothing that acts."""
    import pypdfium2  # noqa: PLC0415 - after the limits

    opened = pypdfium2.PdfDocument(content)
    if not 0 < len(opened) <= pages_max:
        raise ValueError("too many pages")
    pages = []
    for page in opened:
        longest = max(page.get_size())
        if not 0 < longest <= _PAGE_POINTS_MAX:
            raise ValueError("too large a page")
        scale = min(_PAGE_SCALE, side_max / longest)
        pages.append(page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB"))
    made = io.BytesIO()
    first, *others = pages
    first.save(made, "PDF", save_all=True, append_images=others, resolution=150, quality=_QUALITY)
    return first.size, len(pages), made.getvalue()


if __name__ == "__main__":
    main(*sys.argv[1:])
