"""Printed things as answers: a PDF that the browser shows."""

from flask import Response, make_response


def pdf(content: bytes, name: str) -> Response:
    """A PDF to be shown in the window, and saved under `name`."""
    answer = make_response(content)
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer
