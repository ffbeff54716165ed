"""Published figures of real sensors: noise (one camera, measured) and levels, colour matrix, pixel size (many)."""
