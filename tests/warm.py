"""Imported once by the process that servers are forked from: what each would load anew is there already.

It saves up to three seconds of processor time for each start, of which the tests have many.
"""

import chromadb.api.rust
import chromadb.telemetry.product.posthog  # noqa: F401

import tools.engines.llm.engine
import tools.engines.llm.transport  # noqa: F401
from agent.promising.grammar import read_grammars
from graphs.lazy_commands import commands
from tools.embedding.sentences import open_model
from tools.engines.local.ears.examples import load_examples
from tools.engines.local.gloss import Glossary
from tools.language import identify

for _command in commands().values():
    _command.load()
# Its table is unpacked at its first use.
identify("Where can I download my invoices?")
# Each is read once a process.
read_grammars()
load_examples()
Glossary.load()
open_model().encode(["Where can I download my invoices?"])
