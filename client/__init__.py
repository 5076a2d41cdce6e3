"""A device that speaks `/v1/chat/audio`: a simulator for people, a witness for tests, a load generator for benchmarks.

It imports nothing of the server: what it accepts is what the protocol's document says, not what the server's code does.
`device.Device` holds turns on one connection; `fleet.run` holds many at once; `python -m client hello.wav` is the tool.
"""
