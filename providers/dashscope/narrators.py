"""Which kind of synthesis reads with which model."""

import re
from urllib.parse import quote

from providers.dashscope.cosyvoice import CosyVoiceSynthesiser
from providers.dashscope.transport import Transport
from providers.dashscope.tts_http import HttpSynthesiser
from providers.dashscope.tts_realtime import RealtimeSynthesiser
from services.ports import Narrator

_COSYVOICE = re.compile(r"cosyvoice-|qwen-audio-[\d.]+-tts")
_RATE_HZ = 24_000


def build(
    model: str, transport: Transport, *, base_url: str, realtime_url: str, connect_s: float, idle_s: float
) -> Narrator:
    """Return what reads texts aloud with this model; of `realtime_url`, only what stands before its query is used."""
    if model.endswith("-realtime") or "-realtime-" in model:
        url = f"{realtime_url.partition('?')[0]}?model={quote(model, safe='')}"
        return RealtimeSynthesiser(url=url, model=model, rate_hz=_RATE_HZ, connect_s=connect_s, idle_s=idle_s)
    if _COSYVOICE.match(model):
        return CosyVoiceSynthesiser(transport, base_url=base_url, model=model)
    return HttpSynthesiser(transport, base_url=base_url, model=model)
