"""What a process says of itself while it runs: the ids of its work, its log lines, its clock."""
