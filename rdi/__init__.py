"""Restore photos taken in near darkness: raw Bayer mosaic in, clean sRGB picture out."""

__version__ = "0.1.0"
