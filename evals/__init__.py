"""Offline evaluation: public benchmarks and, with them, the statistics of honest numbers."""
