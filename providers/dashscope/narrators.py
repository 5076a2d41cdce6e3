"""Which kind of synthesis reads with which model."""

from providers.dashscope.transport import Transport
from providers.dashscope.tts_http import HttpSynthesiser
from services.ports import Narrator


def build(model: str, transport: Transport, *, base_url: str) -> Narrator:
    """Return what reads texts aloud with this model."""
    return HttpSynthesiser(transport, base_url=base_url, model=model)
