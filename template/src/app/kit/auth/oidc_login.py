"""Signing in at the issuer in the page at ``/docs``: an authorization code with PKCE."""

from typing import Any

import httpx2
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_oauth2_redirect_html
from fastapi.responses import HTMLResponse

from app.kit.auth.oidc import AuthSettings
from app.kit.auth.oidc_keys import IssuerKeys
from app.kit.errors import Unavailable
from app.kit.http.docs import docs_page, with_policy

WAITERS = 8  # Anyone may open the page.
HINT = "Sign in at the issuer. The page needs no `client_secret`."
REDIRECT = "/docs/oauth2-redirect"


def add_login(app: FastAPI, settings: AuthSettings) -> None:
    """Serve ``/docs`` with a login, or without one while the issuer does not answer.

    Only the page's document knows of it; ``/openapi.json`` does not depend on settings.
    """
    issuer = IssuerKeys(settings.oidc_issuer, WAITERS)
    scopes = [each for each in (settings.oidc_read_scope, settings.oidc_write_scope) if each]
    _add_files(app, issuer, scopes)

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        try:
            _, token_url = await issuer.endpoints()
        except Unavailable:
            return docs_page(app)
        return docs_page(
            app,
            connect_to=_origin(token_url),
            openapi_url="docs/openapi.json",
            oauth2_redirect_url=request.scope["root_path"] + REDIRECT,
            init_oauth=_options(settings, scopes),
        )


def _options(settings: AuthSettings, scopes: list[str]) -> dict[str, Any]:
    return {
        "clientId": settings.oidc_docs_client_id,
        "scopes": " ".join(scopes),
        "usePkceWithAuthorizationCodeGrant": True,
        "additionalQueryStringParams": {"audience": settings.oidc_audience},  # Auth0 needs it.
    }


def _add_files(app: FastAPI, issuer: IssuerKeys, scopes: list[str]) -> None:
    """Serve what the page loads: its document, and the page that the issuer redirects to."""

    @app.get("/docs/openapi.json", include_in_schema=False)
    async def document() -> dict[str, Any]:
        return _with_login(app.openapi(), await issuer.endpoints(), scopes)

    @app.get(REDIRECT, include_in_schema=False)
    async def redirect() -> HTMLResponse:
        return with_policy(bytes(get_swagger_ui_oauth2_redirect_html().body))


def _origin(url: str) -> str:
    found = httpx2.URL(url)
    return f"{found.scheme}://{found.netloc.decode()}"


def _with_login(
    document: dict[str, Any], endpoints: tuple[str, str], scopes: list[str]
) -> dict[str, Any]:
    """Return the document with the issuer's login as another way to get a token."""
    names = dict.fromkeys(scopes, "")
    flow = {"authorizationUrl": endpoints[0], "tokenUrl": endpoints[1], "scopes": names}
    login = {"type": "oauth2", "description": HINT, "flows": {"authorizationCode": flow}}
    schemes = document["components"]["securitySchemes"] | {"login": login}
    security = [{"bearer": []}, {"login": scopes}]
    return {
        **document,
        "components": {**document["components"], "securitySchemes": schemes},
        "paths": {
            path: {
                method: operation | ({"security": security} if "security" in operation else {})
                for method, operation in operations.items()
            }
            for path, operations in document["paths"].items()
        },
    }
