"""The page at /docs, as people see it in a browser. ``make test-browser`` runs it."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import httpx2
import pytest
from selenium.webdriver.common.by import By

from binaries import run
from browser import Page, browsing
from servers import free_port

ROOT = Path(__file__).parents[2]
DESCRIPTION = "What the team wants to remember."
FIELDS = (
    "address:url title:text(80) state:enum(new,read)=new:filter pages:int rating:int(5,9) "
    "price:decimal(12,2) seen:datetime? due:date liked:bool by:email tag:uuid?"
)


def generate(folder: Path, *more: str) -> Path:
    answers = ("--data", "project_name=Team Notes", "--data", f"description={DESCRIPTION}", *more)
    run("copier", "copy", "--quiet", "--defaults", "--vcs-ref=HEAD", *answers, ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default project, and a feature in it with a field of each type."""
    folder = generate(tmp_path_factory.mktemp("project"))
    git = ("git", "-c", "user.name=test", "-c", "user.email=test@example.invalid")
    run(*git, "init", "--quiet", cwd=folder)
    run("make", "setup", cwd=folder)
    run(*git, "add", "--all", cwd=folder)
    run(*git, "commit", "--quiet", "--message=Generated", cwd=folder)
    run("make", "feature", "NAME=bookmarks", f"FIELDS={FIELDS}", cwd=folder)
    run("make", "migrate", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def token(project: Path) -> str:
    """A token that the project made, and accepts from now on."""
    printed = run(project / ".venv/bin/app", "token", "--once", cwd=project)
    return printed.split("shown this once: ")[1].split()[0]


@contextmanager
def serving(project: Path, folder: Path, **settings: str) -> Iterator[str]:
    """Run the service of a folder in a project's environment, and yield its address."""
    port = free_port()
    env = os.environ | {"PORT": str(port), "PYTHONPATH": str(folder / "src")} | settings
    serve = (project / ".venv/bin/app", "serve")
    with Popen(serve, cwd=folder, env=env, stdout=DEVNULL, stderr=DEVNULL) as service:
        try:
            await_ready(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            service.terminate()


@pytest.fixture(scope="module")
def address(project: Path, token: str) -> Iterator[str]:
    """The address of the service, which asks for the token."""
    with serving(project, project) as address:
        yield address


def await_ready(address: str) -> None:
    for _ in range(200):
        with suppress(httpx2.TransportError):
            if httpx2.get(f"{address}/health/live").is_success:
                return
        time.sleep(0.1)
    pytest.fail("The service did not start.")


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with browsing() as page:
        yield page


@pytest.fixture
def page(browser: Page, address: str) -> Iterator[Page]:
    """The page, opened by the bare address; the console stays empty."""
    browser.open(address)
    yield browser
    assert browser.complaints() == []


def test_it_says_what_the_service_is(page: Page, address: str) -> None:
    assert page.driver.current_url == f"{address}/docs"
    assert page.driver.title == "Team Notes"
    said = page.find(".information-container").text
    assert DESCRIPTION in said
    assert "0.1.0" in said


def test_it_creates_and_reads_with_a_token_also_after_a_reload(
    page: Page, address: str, token: str
) -> None:
    assert "app token" in page.authorize(token)

    status, created = page.execute("notes", "create_note")
    note = json.loads(created)["data"]
    page.open(f"{address}/docs")
    read = page.execute("notes", "get_note", note_id=note["id"])

    assert (status, note["content"]) == ("201", "Buy oat milk")
    assert read == ("200", created)


def test_it_suggests_what_a_generated_feature_takes(page: Page) -> None:
    status, created = page.execute("bookmarks", "create_bookmark")

    assert status == "201", created
    assert json.loads(created)["data"]["address"] == "https://example.com/"


def test_it_works_without_the_example(browser: Page, project: Path, tmp_path: Path) -> None:
    folder = generate(tmp_path / "bare", "--data", "example=none")
    (folder / ".env").write_text("DATABASE_URL=sqlite:///bare.db\n")
    with serving(project, folder) as address:
        browser.open(address)

        assert browser.execute("health", "get_liveness")[0] == "200"
        assert not browser.driver.find_elements(By.CSS_SELECTOR, "[id^=operations-notes]")
        assert browser.complaints() == []


@pytest.fixture(scope="module")
def signed_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service that asks for tokens of an issuer at which people sign in."""
    project = generate(tmp_path_factory.mktemp("issuer"), "--data", "auth=oidc")
    run("make", "migrate", cwd=project)
    issue = (project / ".venv/bin/python", ROOT / "tests/browser/issuer.py")
    env = os.environ | {"PYTHONPATH": str(project)}
    with Popen(issue, env=env, stdout=PIPE, stderr=DEVNULL, text=True) as issuer:
        assert issuer.stdout
        name, audience = issuer.stdout.readline().split()
        settings = {"OIDC_ISSUER": name, "OIDC_AUDIENCE": audience}
        try:
            with serving(project, project, **settings, OIDC_DOCS_CLIENT_ID="pages") as address:
                yield address
        finally:
            issuer.terminate()


def test_people_sign_in_at_the_issuer(browser: Page, signed_in: str) -> None:
    browser.open(signed_in)
    browser.sign_in("I am Ada")

    status, created = browser.execute("notes", "create_note")
    assert status == "201", created
    browser.open(f"{signed_in}/docs")
    note_id = json.loads(created)["data"]["id"]

    assert browser.execute("notes", "get_note", note_id=note_id) == ("200", created)
    assert browser.complaints() == []


def test_it_fits_a_phone(page: Page, address: str) -> None:
    page.open(f"{address}/docs", width=390)
    closed = page.too_wide()
    for block in page.driver.find_elements(
        By.CSS_SELECTOR, "[id^=operations-notes] .opblock-summary-control"
    ):
        page.driver.execute_script("arguments[0].click()", block)
    page.find(".opblock.is-open .responses-table")

    assert (closed, page.too_wide()) == (0, 0)


@pytest.mark.parametrize("preferred", ["dark", "light"])
def test_it_has_the_colours_that_the_system_prefers(
    page: Page, address: str, preferred: str
) -> None:
    page.prefer(preferred)
    page.open(f"{address}/docs")

    shown = page.find(".opblock-tag").value_of_css_property("color")
    background = page.find("html").value_of_css_property("background-color")
    assert is_dark(background) is (preferred == "dark")
    assert is_dark(shown) is (preferred == "light")


def is_dark(colour: str) -> bool:
    """Return whether a colour of CSS is dark; a transparent one shows white."""
    red, green, blue, *alpha = map(float, re.findall(r"[0-9.]+", colour))
    return alpha != [0] and red + green + blue < 3 * 128
