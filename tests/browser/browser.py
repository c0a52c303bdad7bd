"""Debian's Chromium, headless, driven by Selenium with Debian's own driver."""

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from binaries import cached, unpack_debian

SECONDS = 15
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # It needs root or a setting of the kernel, and sees only our own pages.
    "--disable-dev-shm-usage",
    "--disable-gpu",
)


class Page:
    """The page at ``/docs`` in a browser."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._wait = WebDriverWait(driver, SECONDS, poll_frequency=0.05)

    def open(self, url: str, width: int = 1200) -> None:
        """Open it, and wait until it shows operations."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(url)
        self.find(".opblock")

    def prefer(self, colours: str) -> None:
        """Have the system prefer light or dark colours."""
        feature = {"name": "prefers-color-scheme", "value": colours}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def find(self, css: str) -> WebElement:
        """Wait for the first element, and return it."""
        return self._wait.until(lambda driver: driver.find_element(By.CSS_SELECTOR, css), css)

    def click(self, css: str) -> None:
        """Wait for an element, and click it."""
        element = self.find(css)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        self._wait.until(lambda _: element.is_displayed() and element.is_enabled(), css)
        element.click()

    def execute(self, tag: str, operation: str, **values: str) -> tuple[str, str]:
        """Try an operation as the page suggests it, and return the status and the body."""
        block = f"#operations-{tag}-{operation}"
        if not self.driver.find_elements(By.CSS_SELECTOR, f"{block}.is-open"):
            self.click(f"{block} .opblock-summary-control")
            self.click(f"{block} .try-out__btn")
        for name, value in values.items():
            self.find(f"{block} tr[data-param-name={name}] input").send_keys(value)
        self.click(f"{block} .execute")
        live = f"{block} .live-responses-table .response"
        status = self.find(f"{live} .response-col_status").text.split()[0]
        return status, self.find(f"{live} .microlight").text

    def authorize(self, token: str) -> str:
        """Enter a token, and return what the dialog says of it."""
        self.click(".auth-wrapper .authorize")
        explained = self.find(".dialog-ux .renderedMarkdown").text
        self.find(".dialog-ux input").send_keys(token)
        self.click(".dialog-ux .auth-btn-wrapper .authorize")
        self.click(".dialog-ux .btn-done")
        return explained

    def sign_in(self, link: str) -> None:
        """Sign in at the issuer, by a link on its page in a window of its own."""
        self.click(".auth-wrapper .authorize")
        self.click(".dialog-ux .auth-container:has([data-name=clientId]) .authorize")
        here = self.driver.current_window_handle
        self._wait.until(lambda driver: len(driver.window_handles) > 1)
        (there,) = set(self.driver.window_handles) - {here}
        self.driver.switch_to.window(there)
        self._wait.until(lambda driver: driver.find_element(By.LINK_TEXT, link)).click()
        self.driver.switch_to.window(here)
        self.find(".dialog-ux .auth-container:has(.flow) .auth-btn-wrapper .btn-done")
        self._wait.until(lambda driver: "Logout" in self.find(".dialog-ux").text)
        self.click(".dialog-ux .btn-done")

    def too_wide(self) -> int:
        """Return by how many pixels the page is wider than the screen."""
        width = "return document.documentElement.scrollWidth - window.innerWidth"
        return int(self.driver.execute_script(width))

    def complaints(self) -> list[str]:
        """Return what the console has said since the last call, besides recommendations."""
        found = self.driver.get_log("browser")
        return [entry["message"] for entry in found if entry["source"] != "recommendation"]


def unpack(folder: Path) -> None:
    """Fill a folder with the browser and its driver."""
    unpack_debian(folder, "chromium", "chromium-common", "chromium-driver")


@contextmanager
def browsing() -> Iterator[Page]:
    """Yield a page in a browser, which is the machine's or else unpacked from Debian's packages."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    env = dict(os.environ)
    if not (chromium and driver):
        folder = cached("chromium", unpack)
        chromium, driver = (
            str(folder / "usr/lib/chromium/chromium"),
            str(folder / "usr/bin/chromedriver"),
        )
        libraries = f"usr/lib/{platform.machine()}-linux-gnu"
        env["LD_LIBRARY_PATH"] = os.pathsep.join(
            str(folder / libraries / each) for each in ("", "pulseaudio")
        )
    options = ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for option in OPTIONS:
        options.add_argument(option)
    browser = Chrome(options, Service(driver, env=env))
    try:
        yield Page(browser)
    finally:
        browser.quit()
