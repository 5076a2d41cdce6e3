"""Sound in and out of files and streams: decoded, encoded, stretched, cut."""
