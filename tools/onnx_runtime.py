"""onnxruntime without its telemetry: version 1.32 asks for Microsoft's servers, also on Linux, unless told not to.

Whoever needs onnxruntime imports it from here, because the switch is only seen before the library is loaded.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime  # type: ignore[import-untyped]  # No stubs; and only after the switch.
from onnxruntime.capi import onnxruntime_pybind11_state as errors  # type: ignore[import-untyped]

__all__ = ["errors", "onnxruntime"]
