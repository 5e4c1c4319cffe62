"""Visitors' identities: a name typed once, and a random secret kept by their browser.

On the server's own machine, nobody is asked, and the visitor owns everything. If the deployment
uses `st.login`, people sign in there, and that name is used.
"""

import hmac
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

import streamlit as st

from core.errors import RunError
from core.jobs import limits
from core.runs.person import COOKIE, OWNER, Person, from_cookie, tag_for
from core.runs.run import cleaned_name
from ui import format, keys

_NAME_LENGTH = 40  # characters
_PAUSE = 1.0  # seconds to wait after a wrong admin secret
_HOSTS = ("localhost", "127.0.0.1", "::1")
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")

_remember = st.components.v2.component(
    "digitlab_remember",
    html="<span></span>",
    js=(Path(__file__).parent / "components" / "remember.js").read_text(),
)


def for_many() -> bool:
    """Return whether the server was started for a class or as a public demo."""
    return bool(os.environ.get("DIGITLAB_CLASS")) or limits.is_demo()


def me() -> Person:
    """Return the visitor, who owns nothing before giving a name."""
    if not for_many() and "is_logged_in" not in st.user and _is_at_this_machine():
        return OWNER
    secret, name = _identity()
    tag = tag_for(secret) if secret else ""
    shelf = st.session_state.setdefault(keys.SHELF, {}) if limits.is_demo() else None
    return Person(name, tag, bool(st.session_state.get(keys.ADMIN)), shelf)


def admit() -> None:
    """Ask visitors for their name, once, and stop the page until they have given it."""
    if me().owns_all:
        return
    if "is_logged_in" in st.user and not st.user.is_logged_in:
        st.title("Welcome to Digit Lab")
        if st.button("Sign in", key="sign-in", type="primary"):
            st.login()
        st.stop()
    secret, name = _identity()
    if not name and limits.is_demo():
        _become(secret or secrets.token_urlsafe(32), "visitor")
    elif not name:
        if keys.PERSON in st.session_state:  # they have left
            _remember_or_forget()
        _ask()
    if keys.PERSON in st.session_state:
        _remember_or_forget()


def badge() -> None:
    """Show in the sidebar who the visitor is, and let an admin give the secret."""
    person = me()
    if person == OWNER or not person.name:
        return
    if limits.is_demo() and not os.environ.get("DIGITLAB_ADMIN"):
        return
    with st.popover(format.plain(person.name), icon=":material/person:", key="me"):
        if person.owns_all:
            st.markdown("You can change everybody's runs, until you reload the page.")
        else:
            st.markdown("Others can look at your runs, but not change them.")
            ask_for_secret("sidebar")
        if "is_logged_in" not in st.user and not limits.is_demo():
            st.button(
                "Leave",
                key="leave",
                icon=":material/logout:",
                on_click=_leave,
                help="This browser forgets you. Your runs and digits stay; only an admin can "
                "still change them.",
            )


def ask_for_secret(place: str) -> None:
    """Show the form that makes a visitor an admin by the secret; `place` makes its keys unique."""
    if not os.environ.get("DIGITLAB_ADMIN"):
        return
    with st.form(f"admin-form-{place}", border=False):
        secret = st.text_input("Admin secret", type="password", key=f"admin-secret-{place}")
        if st.form_submit_button("Confirm", key=f"admin-confirm-{place}"):
            _confirm(secret)


def is_local(address: str | None, headers: Mapping[str, str]) -> bool:
    """Return whether a browser runs on the server's machine, without a proxy in between.

    Streamlit gives no address for the server's own machine. The host is checked too: a site whose
    name was made to point here (DNS rebinding) has its own name as the host.
    """
    host = urlsplit(f"//{headers.get('Host', '')}").hostname
    direct = not any(name in headers for name in _FORWARDED)
    return address is None and host in _HOSTS and direct


def _is_at_this_machine() -> bool:
    return is_local(st.context.ip_address, st.context.headers)


def _identity() -> tuple[str, str]:
    """Return the visitor's secret and name; both are empty if they are not known."""
    if "is_logged_in" in st.user:
        if not st.user.is_logged_in:
            return "", ""
        user = st.user.to_dict()
        name = str(user.get("name") or user.get("email") or "somebody")[:_NAME_LENGTH]
        return f"login {user.get('iss')} {user.get('sub')}", cleaned_name(name)
    if keys.PERSON in st.session_state:
        secret, name = st.session_state[keys.PERSON]
        return str(secret), str(name)
    secret, name = from_cookie(st.context.cookies.get(COOKIE, ""))
    try:
        return secret, cleaned_name(name[:_NAME_LENGTH])
    except RunError:
        return "", ""


def _ask() -> None:
    st.title("Welcome to Digit Lab")
    st.markdown(
        "Your name is shown beside your runs. This browser remembers you: you can change or delete "
        "your runs only from here."
    )
    with st.form("who", width=420):
        name = st.text_input(
            "Your name",
            max_chars=_NAME_LENGTH,
            key="my-name",
            autocomplete="nickname",
        )
        if st.form_submit_button("Enter", key="enter", type="primary"):
            name = cleaned_name(name)
            if not name:
                raise RunError("Type your name, so that others know which runs are yours.")
            _become(secrets.token_urlsafe(32), name)
            st.rerun()
    st.stop()


def _remember_or_forget() -> None:
    secret, name = st.session_state[keys.PERSON]
    value = f"{secret}.{quote(name)}" if secret else ""
    _remember(key="remember", data={"name": COOKIE, "value": value})


def _leave() -> None:
    st.session_state.pop(keys.ADMIN, None)
    _become("", "")


def _become(secret: str, name: str) -> None:
    st.session_state[keys.PERSON] = secret, name


def _confirm(secret: str) -> None:
    time.sleep(_PAUSE)
    if not hmac.compare_digest(secret.encode(), os.environ["DIGITLAB_ADMIN"].encode()):
        st.error("This is not the admin secret. Type the value of the server's DIGITLAB_ADMIN.")
        return
    st.session_state[keys.ADMIN] = True
    st.rerun()
