"""The laws of the house, read off the source with `ast`: fast, and run before anything is imported (`make check`)."""
