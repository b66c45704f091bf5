"""What was learnt from a team's own tickets: versioned folders of arrays, no pickles, and how they are read."""
