"""Sensor calibrations: published noise figures of real cameras, as JSON, each with its source."""
