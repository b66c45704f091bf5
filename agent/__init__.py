"""The domain: what a support turn is, what it may do, and what it needs from the outside."""
