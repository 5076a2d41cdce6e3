"""The voices as data: what each is called, which languages it speaks, which models speak with it; and OpenAI's names.

A name is looked up without regard to case. OpenAI's names stand for a voice of the model's own family, voices of the
caller's own go through by the pattern of their names, and everything else is refused with names that exist.
Source: DashScope HTTP reference §5.1, §5.2; the vendor's voice lists of CosyVoice and Qwen-Audio-TTS, July 2026.
"""

import re
from dataclasses import dataclass
from typing import Final

from protocol.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One voice. `models` are those that speak with it: their names begin so."""

    id: str
    name: str
    languages: tuple[str, ...]
    models: tuple[str, ...]


_QWEN_LANGUAGES = ("zh", "en", "fr", "de", "ru", "it", "es", "pt", "ja", "ko")
_COSY_LANGUAGES = ("zh", "en")
_QWEN3, _QWEN = "qwen3-tts", "qwen-tts"
_COSY_V3, _COSY_V3_FLASH, _COSY_V2 = "cosyvoice-v3-", "cosyvoice-v3-flash", "cosyvoice-v2"
_AUDIO_30, _AUDIO_31 = "qwen-audio-3.0-tts", "qwen-audio-3.1-tts"


def _voices(names: str, *models: str, languages: tuple[str, ...] = _QWEN_LANGUAGES) -> tuple[Voice, ...]:
    """Return voices of these names; an underscore before a capital stands for a space."""
    ids = (re.sub(r"_(?=[A-Z])", " ", name) for name in names.split())
    return tuple(Voice(id=id_, name=id_, languages=languages, models=models) for id_ in ids)


def _cosy(pairs: str, *models: str) -> tuple[Voice, ...]:
    """Return voices of these `id=name` pairs."""
    parts = (pair.partition("=") for pair in pairs.split())
    return tuple(Voice(id=id_, name=name, languages=_COSY_LANGUAGES, models=models) for id_, _, name in parts)


VOICES: Final[tuple[Voice, ...]] = (
    *_voices("Cherry Serena Ethan Chelsie", _QWEN3, _QWEN),
    *_voices(
        "Momo Vivian Moon Maia Kai Nofish Bella Jennifer Ryan Katerina Aiden Eldric_Sage Mia Mochi Bellona Vincent"
        " Bunny Neil Elias Arthur Nini Ebona Seren Pip Stella Bodega Sonrisa Alek Dolce Sohee Ono_Anna Lenn Emilien"
        " Andre Radio_Gol Li Marcus Roy Peter Eric Rocky Kiki",
        _QWEN3,
    ),
    *_voices("Jada Dylan Sunny", _QWEN3, _QWEN),
    *_cosy("longanyang=龙安洋 longanhuan=龙安欢", _COSY_V3),
    *_cosy(
        "longxiaochun_v3=龙小淳 longxiaoxia_v3=龙小夏 longyumi_v3=YUMI longanyun_v3=龙安昀 longanwen_v3=龙安温"
        " longanli_v3=龙安莉 longanlang_v3=龙安朗 longyingmu_v3=龙应沐 longantai_v3=龙安台 longhua_v3=龙华"
        " longcheng_v3=龙橙 longze_v3=龙泽 longzhe_v3=龙哲 longyan_v3=龙颜 longxing_v3=龙星 longtian_v3=龙天"
        " longwan_v3=龙婉 longqiang_v3=龙嫱 longfeifei_v3=龙菲菲 longhuhu_v3=龙呼呼 longfei_v3=龙飞",
        _COSY_V3_FLASH,
    ),
    *_cosy(
        "longxiaochun_v2=龙小淳 longxiaoxia_v2=龙小夏 longwan_v2=龙婉 longcheng_v2=龙橙 longhua_v2=龙华"
        " longshu_v2=龙书",
        _COSY_V2,
    ),
    *_cosy("longanhuan_v3.6=龙安欢 longanlingxin=龙安灵心 longanlufeng=龙安鲁风", _AUDIO_30),
    *_cosy("longanhuan_v3.1=龙安欢 longanlingxin_v3.1=龙安灵心 longanfengyue_v3.1=龙安风悦", _AUDIO_31),
)
"""The system voices that this server knows by name."""

OPENAI_VOICES: Final[dict[str, str]] = {
    "alloy": "Chelsie",
    "ash": "Ethan",
    "ballad": "Serena",
    "coral": "Cherry",
    "echo": "Kai",
    "fable": "Maia",
    "onyx": "Nofish",
    "nova": "Vivian",
    "sage": "Moon",
    "shimmer": "Bella",
    "verse": "Ryan",
    "marin": "Jennifer",
    "cedar": "Aiden",
}
"""OpenAI's voices -> voices of Qwen3-TTS."""

_MEN = frozenset({"ash", "echo", "onyx", "sage", "verse", "cedar"})
_PAIRS: Final = (
    (_QWEN, "Chelsie", "Ethan"),
    (_COSY_V3, "longanhuan", "longanyang"),
    (_COSY_V2, "longxiaochun_v2", "longshu_v2"),
    (_AUDIO_30, "longanlingxin", "longanlufeng"),
    (_AUDIO_31, "longanlingxin_v3.1", "longanfengyue_v3.1"),
)
"""Families of models with few voices: a woman's and a man's, for OpenAI's names."""

_OWN_VOICES_ONLY = re.compile(r"-tts-v[cd]-|cosyvoice-v3\.5-")
"""Models that speak with cloned and designed voices alone."""
_OWN_VOICE = re.compile(r"(cosyvoice|sambert|qwen)[\w.]*-[\w.-]+", re.IGNORECASE)
"""How the vendor names cloned and designed voices: the model, a name of the owner's, a number."""
_UNLISTED = re.compile(r"loo?ng[a-z]+(_v[\d.]+)?")
"""CosyVoice has more voices than are listed here; the vendor knows them all."""


def resolve_voice(name: str, model: str, *, default: str = "") -> str:
    """Return the voice that a name stands for with this model; without a name, `default` or the family's first.

    Raises: BadInput (`voice`).
    """
    if _OWN_VOICES_ONLY.search(model):
        return _own_voice(name or default, model)
    known = {voice.id.lower(): voice.id for voice in VOICES if model.startswith(voice.models)}
    if not name:
        return known.get(default.lower()) or next(iter(known.values()), default)
    wanted = _translated(name.lower(), model) or name
    if not known or _OWN_VOICE.fullmatch(wanted):
        return wanted
    if wanted.lower() in known:
        return known[wanted.lower()]
    if _UNLISTED.fullmatch(wanted) and not model.startswith((_QWEN3, _QWEN)):
        return wanted
    raise _unknown(name, model, list(known.values()))


def _translated(name: str, model: str) -> str | None:
    """Return the vendor's voice for a name of OpenAI's, None for any other name."""
    if name not in OPENAI_VOICES:
        return None
    for family, woman, man in _PAIRS:
        if model.startswith(family):
            return man if name in _MEN else woman
    return OPENAI_VOICES[name]


def _own_voice(name: str, model: str) -> str:
    is_system_voice = name.lower() in OPENAI_VOICES or any(name == voice.id for voice in VOICES)
    if name and not is_system_voice:
        return name
    message = f"The model '{model}' speaks with voices of your own alone: name one that you have cloned or designed."
    raise BadInput(message, code="invalid_value", param="voice")


def _unknown(name: str, model: str, known: list[str]) -> BadInput:
    some = ", ".join([*known[:6], *list(OPENAI_VOICES)[:3]])
    message = (
        f"Invalid 'voice': '{name[:64]}' is no voice of the model '{model}'. Use for example {some};"
        " GET /v1/audio/voices lists them all."
    )
    return BadInput(message, code="invalid_value", param="voice")
