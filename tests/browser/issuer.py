"""The issuer of a project's own tests, and a server at which people sign in.

It runs in the project's environment, and prints its name and its audience. The client is public,
so it needs PKCE.
"""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from threading import Thread
from urllib.parse import parse_qsl, urlencode, urlsplit

oidc = import_module("tests.kit.verifiers.oidc")

CLIENT = "pages"
PAGE = "<!doctype html><title>Sign in</title><link rel=icon href=data:,><a href='{}'>I am Ada</a>"

issuer = oidc.LocalIssuer()


class Login(BaseHTTPRequestHandler):
    """A page to sign in, and an endpoint that exchanges its codes (RFC 6749 and 7636)."""

    asked: dict[str, str]

    def do_GET(self) -> None:
        asked = Login.asked = dict(parse_qsl(urlsplit(self.path).query))
        known = {"response_type": "code", "code_challenge_method": "S256", "client_id": CLIENT}
        if not asked.items() >= (known | {"audience": oidc.AUDIENCE}).items():
            self.answer(400, b"Not as expected", "text/plain")
            return
        answer = urlencode({"code": "once", "state": asked["state"]})
        self.answer(200, PAGE.format(f"{asked['redirect_uri']}?{answer}").encode(), "text/html")

    def do_POST(self) -> None:
        sent = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        asked, Login.asked = Login.asked, {}  # A code can be used once.
        digest = sha256(sent.pop("code_verifier", "").encode()).digest()
        expected = {"grant_type": "authorization_code", "code": "once", "client_id": CLIENT}
        expected["redirect_uri"] = asked.get("redirect_uri", "")
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if sent != expected or challenge != asked["code_challenge"]:
            self.answer(400, b'{"error": "invalid_grant"}')
            return
        token = issuer.token(scope=asked["scope"])
        self.answer(200, json.dumps({"access_token": token, "token_type": "Bearer"}).encode())

    def do_OPTIONS(self) -> None:
        self.answer(204, b"")

    def answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "null"))
        self.send_header("Access-Control-Allow-Headers", "X-Requested-With, Content-Type")
        self.end_headers()
        self.wfile.write(body)


def serve() -> None:
    """Run both until the process is ended."""
    Thread(target=issuer.serve_forever, daemon=True).start()
    with ThreadingHTTPServer(("127.0.0.1", 0), Login) as login:
        found = issuer.documents["/.well-known/openid-configuration"]
        for name in ("authorization", "token"):
            found[f"{name}_endpoint"] = f"http://127.0.0.1:{login.server_port}/{name}"
        print(issuer.url, oidc.AUDIENCE, flush=True)
        login.serve_forever()


if __name__ == "__main__":
    serve()
