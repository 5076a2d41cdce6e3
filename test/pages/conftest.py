"""The server as a person starts it, and Chromium with a microphone that says what the test wants."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from emulator import voice

ROOT = Path(__file__).resolve().parents[2]
START_S = 30
STOP_S = 10
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --use-fake-ui-for-media-stream "
    "--use-fake-device-for-media-stream --autoplay-policy=no-user-gesture-required"
)


@pytest.fixture(scope="session")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`python app.py` without a key, on a port of its own."""
    data = tmp_path_factory.mktemp("page-server")
    with _server(data, log=data / "server.log") as url:
        yield url


@contextmanager
def _server(data: Path, *, log: Path) -> Iterator[str]:
    port = _free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env=_environment(port=port, data=data),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/health", process, log)
            yield url
        finally:
            process.terminate()
            process.wait(STOP_S)


def _environment(*, port: int, data: Path) -> dict[str, str]:
    """This process's environment without anything of a vendor's: an empty value counts as none."""
    ours = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": str(data), "EMULATOR_VOICE": "tones"}
    keyless = dict.fromkeys(("QWEN_API_KEY", "DASHSCOPE_API_KEY", "QWEN_API_CHAT_URL", "DASHSCOPE_BASE_URL"), "")
    return os.environ | keyless | ours


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
    pytest.fail(f"The server did not start: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Chromium's program. It belongs to the suite: without it the pages are untested, and that is a failure."""
    programs = [shutil.which("chromium"), shutil.which("chromedriver")]
    if None in programs:
        pytest.fail("The pages are tested in Chromium, which is missing here: apt-get install chromium chromium-driver")
    return Path(str(programs[0]))


@pytest.fixture
def browse(chromium: Path, tmp_path: Path) -> Iterator[Callable[..., webdriver.Chrome]]:
    """A function that opens a browser; `says` is what its microphone hears, after a second of silence."""
    with ExitStack() as stack:

        def start(*, says: str = "", dark: bool = False, width: int = 1280, height: int = 800) -> webdriver.Chrome:
            options = webdriver.ChromeOptions()
            options.binary_location = str(chromium)
            for flag in [*FLAGS.split(), f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},{height}"]:
                options.add_argument(flag)
            if says:
                options.add_argument(f"--use-file-for-fake-audio-capture={_recording(says, tmp_path)}%noloop")
            options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
            driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
            stack.callback(driver.quit)
            _look(driver, dark=dark, width=width, height=height)
            return driver

        yield start


def _look(driver: webdriver.Chrome, *, dark: bool, width: int, height: int) -> None:
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def _recording(text: str, folder: Path) -> Path:
    """Return a WAV file in which the text is said in the sound alphabet, between silences."""
    path = folder / "microphone.wav"
    silence = bytes(2 * 48_000)
    path.write_bytes(voice.pcm_to_wav(silence + voice.speak(text, rate_hz=48_000) + silence, rate_hz=48_000))
    return path
