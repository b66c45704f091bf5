"""The engines, through the `Engine` port."""
