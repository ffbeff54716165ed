"""Measure models: the same captures for all of them, every figure with what it was measured on.

`captures` names what can be measured on, `models` what is measured, `running` does it, `summary` takes the means and
`result` holds all of it for tables, JSON and pages.
"""
