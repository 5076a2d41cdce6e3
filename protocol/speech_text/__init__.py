"""Turn model text into speakable text."""

from protocol.speech_text.stream import SpeechText, speakable

__all__ = ["SpeechText", "speakable"]
