"""The cache: mosaics and targets decoded once, as uint16 arrays on disk that training reads crops from."""
