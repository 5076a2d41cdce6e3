"""Command line: serve the emulator, speak a text into a WAV file, or write down what a sound file says.

python -m emulator --port 8900 [--voice auto|tones|espeak] [--ear auto|tones|sphinx]
python -m emulator say TEXT out.wav [--rate 16000] [--voice tones|espeak]
python -m emulator hear FILE
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from emulator.ear import decode_audio
from emulator.listeners import make_ear
from emulator.server import start
from emulator.voice import make_voice, pcm_to_wav

_DEFAULT_PORT = 8900


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the process's exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    commands = {"say": _say, "hear": _hear}
    command = commands.get(words[0]) if words else None
    try:
        return command(words[1:]) if command else _serve(words)
    except (ValueError, RuntimeError, OSError) as error:
        sys.stderr.write(f"emulator: {error}\n")
        return 1


def _serve(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m emulator", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--port", type=int, default=_DEFAULT_PORT)
    parser.add_argument("--voice", default="auto", choices=["auto", "tones", "espeak"])
    parser.add_argument("--ear", default="auto", choices=["auto", "tones", "sphinx"])
    options = parser.parse_args(words)
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    with start(port=options.port, voice=options.voice, ear=options.ear) as emulator:
        sys.stdout.write(
            f"DashScope emulator at {emulator.url}\n"
            f"  compatible  {emulator.compatible_url}\n"
            f"  native      {emulator.native_url}\n"
            f"  realtime    {emulator.websocket_url}/realtime\n"
        )
        sys.stdout.flush()
        while not stopped.wait(1.0):
            pass
    return 0


def _say(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m emulator say")
    parser.add_argument("text")
    parser.add_argument("file", type=Path)
    parser.add_argument("--rate", type=int, default=16000, metavar="HZ")
    parser.add_argument("--voice", default="tones", choices=["tones", "espeak"])
    options = parser.parse_args(words)
    utterance = make_voice(options.voice).begin(options.rate)
    utterance.add(options.text)
    utterance.finish()
    pcm = utterance.take(utterance.pending_ms)
    options.file.write_bytes(pcm_to_wav(pcm, rate_hz=options.rate))
    return 0


def _hear(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m emulator hear")
    parser.add_argument("file", type=Path)
    pcm, rate_hz = decode_audio(parser.parse_args(words).file.read_bytes())
    sys.stdout.write(make_ear("auto").hear(pcm, rate_hz=rate_hz) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
