"""What is known of how a historical ticket should have gone: by rules from its outcome, or by hand."""
