"""Page images of an invented hospital's papers, as if they had been printed, signed, sealed, bound and scanned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from random import Random
from time import gmtime

import zxingcpp
from PIL import Image
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer
from xml.sax.saxutils import escape

from archive.demo import charts, pictures
from archive.demo.layout import Column, Drawing, Flow, Illustration
from archive.demo.paper import RED, Page
from archive.demo.people import HOSPITAL, Encounter, Patient, age_on
from archive.demo.scanner import scan
from archive.demo.seals import dated_stamp, round_seal
