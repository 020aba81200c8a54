"""Printed things and lists as answers: a PDF that the browser shows, a workbook that it keeps."""

from flask import Response, make_response


def pdf(content: bytes, name: str) -> Response:
    """A PDF to be shown in the window, and saved under `name`."""
    answer = make_response(content)
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer


def workbook(content: bytes, name: str) -> Response:
    """An Excel workbook to be saved under `name`."""
    answer = make_response(content)
    answer.headers["Content-Type"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
