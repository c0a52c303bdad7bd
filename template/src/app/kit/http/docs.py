"""The OpenAPI document, and the page at ``/docs``, which loads nothing from the internet."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from app.kit.http.examples import example_of
from app.kit.http.responses import REQUEST_ID_HEADER

ASSETS = Path(fastapi_offline.__file__).with_name("static")
RETRY_AFTER_HEADER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}

# The page has colours for the dark, and no switch; the column "Links" is too much for a phone.
HEAD = """<script>
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
    dark.addEventListener("change", follow);
    follow();
    </script>
    <style>
    @media (max-width: 640px) { .swagger-ui .response-col_links { display: none } }
    </style>
    </head>"""


def add_page(app: FastAPI) -> None:
    """Serve the page at ``/docs`` with its script and style, and redirect ``/`` to it."""
    app.mount("/docs/assets", StaticFiles(directory=ASSETS))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return docs_page(app)

    @app.get("/", include_in_schema=False)
    async def root() -> RedirectResponse:
        return RedirectResponse("docs")  # Relative: a proxy may have stripped a prefix.


def docs_page(app: FastAPI, *, connect_to: str = "", **options: Any) -> HTMLResponse:
    """Return the page; it may connect to one more origin."""
    page = get_swagger_ui_html(
        **{"openapi_url": "openapi.json", **options},
        title=app.title,
        swagger_js_url="docs/assets/swagger-ui-bundle.js",
        swagger_css_url="docs/assets/swagger-ui.css",
        swagger_favicon_url="docs/assets/favicon.png",
        swagger_ui_parameters={"persistAuthorization": True},
    )
    return with_policy(bytes(page.body).replace(b"</head>", HEAD.encode()), connect_to)


def with_policy(page: bytes, connect_to: str = "") -> HTMLResponse:
    """Return a page with the policy that allows its own scripts and styles only."""
    scripts, styles = _own(b"script", page), _own(b"style", page)
    connect = f"'self' {connect_to}".strip()
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; "
        f"img-src 'self' data:; connect-src {connect}; frame-ancestors 'none'; base-uri 'none'"
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


def _own(tag: bytes, page: bytes) -> str:
    texts = re.findall(rb"<%b>(.*?)</%b>" % (tag, tag), page, re.DOTALL)
    hashes = (f"'sha256-{b64encode(sha256(text).digest()).decode()}'" for text in texts)
    return " ".join(("'self'", *hashes))


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the headers of every answer, problems, and summaries in words."""
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["summary"] = operation["summary"].capitalize()
            _forget_default_422(operation["responses"])
            for status, response in operation["responses"].items():
                headers = response.setdefault("headers", {})
                headers["X-Request-ID"] = REQUEST_ID_HEADER
                if status == "503":
                    headers["Retry-After"] = RETRY_AFTER_HEADER
                if status >= "400":
                    described = response["content"].pop("application/json")
                    detail = described.get("example", "")
                    described["example"] = example_of(int(status), operation, detail)
                    response["content"]["application/problem+json"] = described
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    return _with_distinct_names(document)


def _with_distinct_names(document: dict[str, Any]) -> dict[str, Any]:
    """Name the schemas of ``Data[Book]`` and ``Page[Book]`` BookData and BookPage."""
    text = json.dumps(document)
    document = json.loads(re.sub(r"\b(Data|Page)_(\w+?)_\b", r"\2\1", text))
    for name, schema in document["components"]["schemas"].items():
        schema["title"] = name
    return document


def _forget_default_422(responses: dict[str, Any]) -> None:
    """Drop the 422 that FastAPI adds for parameters; routes declare ours with ``documented``."""
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
