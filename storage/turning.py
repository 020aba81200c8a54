"""Pages turned as they are shown; Pillow turns the other way round."""

from PIL import Image

_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


def clockwise(image: Image.Image, degrees: int) -> Image.Image:
    """The picture turned clockwise by 90, 180 or 270 degrees, without a pixel drawn anew."""
    return image.transpose(_TURNS[degrees])
