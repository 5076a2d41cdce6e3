"""Every test has a transport and a key of its own; the emulator is the run's."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from emulator import Emulator
from protocol.keys import ApiKey
from providers.dashscope.transport import Transport
from services.flow import CancelToken
from test.providers.calls import HASTY_S, PATIENT_S, Vendor
from test.providers.vendor import Line, scripted_vendor
from test.providers.vendor import Vendor as ScriptedVendor


@pytest.fixture
def api_key(key: str) -> ApiKey:
    return ApiKey(key)


@pytest.fixture
def cancel() -> CancelToken:
    return CancelToken()


@pytest.fixture
def transport() -> Transport:
    return Transport(connect_s=PATIENT_S, idle_s=PATIENT_S, pool_size=4)


@pytest.fixture
def hasty_transport() -> Transport:
    return Transport(connect_s=PATIENT_S, idle_s=HASTY_S, pool_size=4)


@pytest.fixture
def vendor(emulator: Emulator, transport: Transport) -> Vendor:
    return Vendor(emulator, transport)


@pytest.fixture
def hasty_vendor(emulator: Emulator, hasty_transport: Transport) -> Vendor:
    """Providers that wait 0.3 s for a word."""
    return Vendor(emulator, hasty_transport, idle_s=HASTY_S)


@pytest.fixture
def script() -> Iterator[Callable[[Callable[[Line], None]], ScriptedVendor]]:
    """Start a vendor that does what the test's function does with each connection."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(scripted_vendor(script))
