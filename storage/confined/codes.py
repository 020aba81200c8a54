"""What the barcodes on a page say: QR and Code 128, which we print ourselves, and Code 39, which older labels carry."""

from PIL import Image
from zxingcpp import BarcodeFormat, BarcodeFormats, read_barcodes

_FORMATS = BarcodeFormats([BarcodeFormat.QRCode, BarcodeFormat.Code128, BarcodeFormat.Code39])
_LONGEST = 200
_MOST = 20
"""A sheet of labels has no more; whoever prints more on a page means something else."""


def said(image: Image.Image) -> list[str]:
    """The texts of all codes that are whole, each once."""
    found = read_barcodes(image, formats=_FORMATS)
    return list(dict.fromkeys(code.text[:_LONGEST] for code in found if code.valid and code.text))[:_MOST]
