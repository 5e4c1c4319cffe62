"""Identify a caller by the cookie that holds a visitor's secret."""

from starlette.requests import Request

from core.runs.person import COOKIE, Person, from_cookie, tag_for


def caller(request: Request) -> Person:
    """Return the person who sends a request; without the cookie, a person who owns nothing."""
    secret, name = from_cookie(request.cookies.get(COOKIE, ""))
    return Person(name, tag_for(secret) if secret else "")
