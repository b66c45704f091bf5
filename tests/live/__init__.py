"""Tests with a small real language model on loopback, selected by `make test-llm` and by nothing else.

`test_real_model.py` says what the model's server does. Whole turns through the language-model engine belong beside it
in `test_real_turns.py`; the fixture `endpoint` gives them the model, in the settings' own variables too.
"""
