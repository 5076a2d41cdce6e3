"""Make, list and revoke the tokens of a server: `python -m deploy.tokens new NAME | list | revoke NAME`.

A running server sees the change with its next request.
"""

import argparse
import sys
from collections.abc import Sequence

import config
from protocol.errors import GatewayError
from storage.tokens import TokenFile


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit status."""
    args = _parser().parse_args(arguments)
    try:
        said = _do(args, TokenFile(config.load().token_file))
    except (config.SettingsError, GatewayError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(said)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.tokens", description="The tokens of this server.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("new", help="make a token and show it, this once").add_argument("name")
    commands.add_parser("list", help="name the tokens")
    commands.add_parser("revoke", help="end a token").add_argument("name")
    return parser


def _do(args: argparse.Namespace, tokens: TokenFile) -> str:
    match args.command:
        case "new":
            return f"{tokens.add(args.name)}\n"
        case "list":
            return "".join(f"{name}\n" for name in tokens.names())
        case _:
            tokens.revoke(args.name)
            return ""


if __name__ == "__main__":
    sys.exit(main())
