"""The task of ``storage.recognise``: the printed text of a page image, by rapidocr and the models in its wheel."""

import ctypes
from base64 import b64decode
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import rapidocr
from numpy.typing import NDArray
from rapidocr.utils.process_img import get_rotate_crop_image

from storage.limits import Limits, Reason, Refused
from storage.textlines import TextLine, clean, in_reading_order, join_lines, turned

from .child import Say
from .foreign import foreign
from .inkframe import inked
from .redink import parted

Image = NDArray[Any]
Box = NDArray[np.float32]
Reading = tuple[str, float]
"""The text of a line, and how sure it is."""

_DETECT_AT = (
    1280  # pixels, long edge: 0.4 s for a page instead of 1.1 s at 2000, and nothing missed at 6 points
)
_LARGEST = 1 << 14
_STEP = 32  # pixels
_TRIED = 3  # lines by which the way up is judged
_UPRIGHT = 0.8  # confidence: lines that stand upright have 0.94 and more, lines upside down 0.55 to 0.6
_READABLE = 0.5  # below this a line is a guess
_SURE = 0.9  # what is read of a stamp's ring has less
# Times as high as wide: rapidocr turns such a line by a quarter, anticlockwise, before it reads it.
_TALL = 1.5


def read(request: dict[str, Any], limits: Limits, say: Say) -> dict[str, Any]:  # noqa: ARG001 - the form of a task
    """Recognise one page; the answer is what ``Recognised`` holds."""
    with foreign():
        page = cv2.imdecode(np.frombuffer(b64decode(request["jpeg"]), np.uint8), cv2.IMREAD_COLOR_BGR)
        if page is None:
            raise Refused(Reason.BROKEN)
    inks = parted(page)
    page, red = inks or (page, None)
    boxes = _boxes(page)
    rotation, known = _rotation(page, boxes)
    if rotation:
        page, known = _turned(page, rotation), {}
        boxes = _boxes(page)
    found = [_line(box, known.get(place) or _recognised(_crop(page, box))) for place, box in enumerate(boxes)]
    lines = [line for line in found if line.text]
    kept = [line for line in lines if line.confidence >= _READABLE]
    if red is not None:
        kept += _in_red(_turned(red, rotation), kept)
    height, width = page.shape[:2]
    return {
        "text": join_lines(kept),
        "lines": [turned(line, -rotation % 360, width, height) for line in in_reading_order(kept)],
        "rotation": rotation,
        "confidence": _mean(lines),
    }


def _turned(page: Image, degrees: int) -> Image:
    return np.ascontiguousarray(np.rot90(page, -degrees // 90))


def _in_red(red: Image, black: list[TextLine]) -> list[TextLine]:
    """What is printed in red, such as the head of an official letter; the round text of a stamp is no line."""
    found = [_line(box, _recognised(_crop(red, box))) for box in _boxes(red)]
    return [
        line
        for line in found
        if line.confidence >= _SURE and len(line.text) > 1 and not any(map(line.covers, black))
    ]


def _rotation(page: Image, boxes: list[Box]) -> tuple[int, dict[int, Reading]]:
    """Clockwise degrees that make the page upright, judged by its longest lines, and these as read; 0 if nothing can be read."""
    longest = sorted(range(len(boxes)), key=lambda place: -max(_sides(boxes[place])))[:_TRIED]
    crops = {place: _crop(page, boxes[place]) for place in longest}
    sideways = sum(map(_is_tall, boxes)) * 2 > len(boxes)
    as_it_is, other = (270, 90) if sideways else (0, 180)
    known = {place: _recognised(crop) for place, crop in crops.items()}
    confidence = _confidence(known.values())
    if confidence >= _UPRIGHT:
        return as_it_is, known
    upside_down = _confidence([_recognised(np.rot90(crop, 2)) for crop in crops.values()])
    if max(confidence, upside_down) < _UPRIGHT:
        return 0, known
    return other if upside_down > confidence else as_it_is, known


def _boxes(page: Image) -> list[Box]:
    left, top, right, bottom = inked(page)
    scale = min(1.0, _DETECT_AT / max(page.shape[:2]))
    # In whole steps of the model, or it would make the picture anew.
    width, height = (max(1, round(side * scale / _STEP)) * _STEP for side in (right - left, bottom - top))
    found = _engine()(
        cv2.resize(page[top:bottom, left:right], (width, height)), use_det=True, use_cls=False, use_rec=False
    )
    _give_back()
    if found.boxes is None:
        return []
    stretch = np.array([(right - left) / width, (bottom - top) / height])
    return [(box * stretch + (left, top)).astype(np.float32) for box in found.boxes]


def _sides(box: Box) -> tuple[float, float]:
    """Width and height of a line's frame."""
    return float(np.linalg.norm(box[1] - box[0])), float(np.linalg.norm(box[3] - box[0]))


def _is_tall(box: Box) -> bool:
    width, height = _sides(box)
    return height > _TALL * width


def _crop(page: Image, box: Box) -> Image:
    return get_rotate_crop_image(page, box)


def _confidence(readings: Collection[Reading]) -> float:
    return sum(sure for _text, sure in readings) / len(readings) if readings else 1.0


def _recognised(crop: Image) -> Reading:
    # One at a time: a batch is padded to its longest line, which costs a third more time and twice the memory.
    found = _engine()(np.ascontiguousarray(crop), use_det=False, use_cls=False, use_rec=True)
    return (found.txts[0], float(found.scores[0])) if found.txts else ("", 0.0)


def _line(box: Box, read: Reading) -> TextLine:
    text, confidence = read
    (x0, y0), (x1, y1) = box.min(axis=0), box.max(axis=0)
    return TextLine(int(x0), int(y0), int(x1), int(y1), clean(text), round(confidence, 3))


def _mean(lines: list[TextLine]) -> float:
    """Weighed by length, and with what was left out as too uncertain: a page of scrawl must not look well read."""
    letters = sum(len(line.text) for line in lines)
    return round(sum(line.confidence * len(line.text) for line in lines) / letters, 3) if letters else 0.0


def _give_back() -> None:
    """What looking for lines took goes back to the system: kept in pieces, it adds up within a file."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # of glibc alone
        libc.malloc_trim(0)


@cache
def _engine() -> Any:
    models = Path(rapidocr.__file__).parent / "models"
    cv2.setNumThreads(1)
    parameters: dict[str, Any] = {
        "Global.log_level": "critical",
        "Global.use_cls": False,  # the way up is the same for all lines of a page, and judged once
        "Global.text_score": 0.0,
        "Global.max_side_len": _LARGEST,  # lines are cut out of the whole page, not of a smaller one
        "Det.limit_type": "max",
        "Det.limit_side_len": _DETECT_AT,
        # Named, because a model that is not where rapidocr looks for it would be fetched from the network.
        "Det.model_path": str(next(models.glob("*_det_*.onnx"))),
        "Rec.model_path": str(next(models.glob("*_rec_*.onnx"))),
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    engine: Any = rapidocr.RapidOCR(params=parameters)
    blank = np.full((_STEP, _STEP, 3), 255, np.uint8)
    engine(blank, use_det=True, use_cls=False, use_rec=False)  # a model is loaded when it is first asked
    engine.text_det.session.session = _frugal(parameters["Det.model_path"])
    return engine


def _frugal(model: str) -> onnxruntime.InferenceSession:
    """A model that lays out no memory by the shape of a page: pages differ, and where one came twice a child grew by 250 MB."""
    options = onnxruntime.SessionOptions()
    options.enable_mem_pattern = options.enable_cpu_mem_arena = False
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
