"""Learning from a team's own tickets: train on the older ones, measure on the newer ones, keep what is better."""
