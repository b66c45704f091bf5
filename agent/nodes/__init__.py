"""The steps of a turn, one module each; a function's name is its name in the graph, the stream and the eval logs."""
