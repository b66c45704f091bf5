"""A scripted OpenAI-compatible server on a real port, with every fault that a real one could have.

`server.ModelServer` runs in a test's event loop, `hosting` runs it in a thread or as a process, `replies` says what it
answers and `faults.FAULTS` what goes wrong with an answer.
"""
