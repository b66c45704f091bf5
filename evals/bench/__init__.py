"""Public data sets, asked through the same turn that serves customers."""
