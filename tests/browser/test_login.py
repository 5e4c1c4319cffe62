"""Signing in through an OpenID Connect provider, a real one in this process."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytest.importorskip("authlib", reason="Authlib is not installed")
from joserfc import jwt  # noqa: E402
from joserfc.jwk import RSAKey  # noqa: E402

Page, expect = playwright.Page, playwright.expect
ROOT = Path(__file__).parents[2]
LONG = 60_000
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})


class Provider(BaseHTTPRequestHandler):
    """A provider that signs everybody in as Anna: discovery, key, code, token for the code."""

    nonces: dict[str, str] = {}  # noqa: RUF012  # of each code

    def do_GET(self) -> None:
        """Answer a browser, or the app's discovery request."""
        parts, here = urlsplit(self.path), f"http://{self.headers['Host']}"
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/authorize":
            code = hashlib.sha256(asked["state"].encode()).hexdigest()
            self.nonces[code] = asked.get("nonce", "")
            self.send_response(302)
            back = urlencode({"code": code, "state": asked["state"]})
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.end_headers()
        elif parts.path == "/keys":
            self._tell({"keys": [KEY.as_dict(private=False)]})
        else:
            ends = {"authorization": "authorize", "token": "token"}
            told = {f"{name}_endpoint": f"{here}/{path}" for name, path in ends.items()}
            self._tell({"issuer": here, "jwks_uri": f"{here}/keys", **told})

    def do_POST(self) -> None:
        """Give the token for a code."""
        length = int(self.headers["Content-Length"])
        asked = parse_qs(self.rfile.read(length).decode())
        now, here = int(time.time()), f"http://{self.headers['Host']}"
        claims = {
            **{"iss": here, "aud": "digitlab", "sub": "7", "name": "Anna of the provider"},
            **{"iat": now, "exp": now + 600, "nonce": self.nonces[asked["code"][0]]},
        }
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)
        self._tell({"access_token": "a", "token_type": "Bearer", "id_token": token})

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def _tell(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def provider() -> Iterator[str]:
    """The address of the provider."""
    server = ThreadingHTTPServer(("localhost", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_name_of_a_provider_counts(
    serve: Callable[..., str], new_page: Callable[..., Page], provider: str, tmp_path: Path
) -> None:
    """A stranger is asked to sign in; after the provider's answer, the app shows their name."""
    secrets = tmp_path / "secrets.toml"
    address = serve(ROOT / "streamlit_app.py", {"STREAMLIT_SECRETS_FILES": str(secrets)})
    secrets.write_text(
        f"""[auth]
        redirect_uri = "{address}/oauth2callback"
        cookie_secret = "{base64.b64encode(b"a long secret of this test").decode()}"
        client_id = "digitlab"
        client_secret = "of the app"
        server_metadata_url = "{provider}/.well-known/openid-configuration"
        """
    )
    page = new_page(address)
    page.get_by_role("button", name="Sign in", exact=True).click(timeout=LONG)
    expect(page.get_by_role("heading", name="Draw a digit", level=1)).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stSidebar").get_by_text("Anna of the provider")).to_be_visible(
        timeout=LONG
    )
