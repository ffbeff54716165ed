"""Measurements of training: throughput, data path, memory."""
