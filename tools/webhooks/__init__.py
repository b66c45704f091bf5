"""Telling the team's own systems what happened: signed as Standard Webhooks are, at least once, in order."""
