"""A DashScope that runs here and can be broken on purpose.

    from emulator import start

    with start() as emulator:
        emulator.set_scenario("sk-me", {"replies": ["Hello."]})
        ...  # point a real SDK at emulator.compatible_url, .native_url, .websocket_url

It stands alone: it imports nothing of the server that is tested with it.
"""

from emulator.server import Emulator, start

__all__ = ["Emulator", "start"]
