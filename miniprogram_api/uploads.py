"""One picture in a request, as the mini-program sends files (`wx.uploadFile`).

The body is multipart/form-data with one file called `picture` and nothing else. What the file is
said to be called, and to be, counts for nothing: its content decides.
"""

from typing import Any, Final

from flask import request

from app.kernel.pictures import MEGABYTE, PictureTooLarge
from miniprogram_api.errors import FieldFault, FormRequired, RequestInvalid
from miniprogram_api.wording import word

MULTIPART: Final = "multipart/form-data"
FIELD: Final = "picture"
AROUND_BYTES: Final = 4096
"""What the form adds around its file."""
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": [FIELD],
    "additionalProperties": False,
    "properties": {FIELD: {"type": "string", "contentMediaType": "image/*"}},
}


def picture(*, bytes_max: int) -> bytes:
    """Return the picture of this request, as it was handed in.

    Raises `FormRequired`, `RequestInvalid`, and `PictureTooLarge` without reading on.
    """
    request.max_content_length = bytes_max + AROUND_BYTES
    if request.mimetype != MULTIPART:
        raise FormRequired
    if (request.content_length or 0) > bytes_max + AROUND_BYTES:
        raise PictureTooLarge(bytes_max // MEGABYTE)
    faults = [_fault(name, "extra_forbidden") for name in _strangers()]
    files = request.files.getlist(FIELD)
    if len(files) != 1:
        faults.append(_fault(FIELD, "repeated" if files else "missing"))
    if faults:
        raise RequestInvalid.of(*faults)
    content = files[0].stream.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise PictureTooLarge(bytes_max // MEGABYTE)
    return content


def _strangers() -> list[str]:
    return [name for name in (*request.form, *request.files) if name != FIELD]


def _fault(name: str, kind: str) -> FieldFault:
    code, message = word(kind, {})
    return FieldFault("/" + name[:64].replace("~", "~0").replace("/", "~1"), code, message)
