"""Families of problems: a generator each, and what proves their optima."""
