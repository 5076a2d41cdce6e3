"""A new user's first minute with a server, on every surface it has: `python -m client check --base-url … --key …`.

It knows OpenAI's public API and this project's documents, nothing of the server's code, and speaks plain HTTP without
an SDK; so it judges any server of this kind. What only this server has is optional: another one may be without it.
`site.Site` speaks HTTP and keeps the time; `front`, `chat`, `sound`, `turns` and `refusals` look at the surfaces;
`walk` goes through them; `command` shows what was found.
"""
