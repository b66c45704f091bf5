"""What a model's client does before it is asked anything."""

import ssl

import pytest

from tests.llm import QUICK
from tests.loopback import NO_TLS
from tools.engines.llm.calling import Model
from tools.engines.llm.options import Endpoint
from tools.engines.llm.transport import open_client


async def test_a_model_reads_no_certificates_for_requests_that_nobody_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("certificates were read")

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", read)
    async with open_client(tls=NO_TLS) as client:
        model = Model(Endpoint("small", "http://127.0.0.1:9/unasked"), client, QUICK)

    assert model.chat.model_name == "small"
