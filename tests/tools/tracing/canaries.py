"""Forty values that must never leave in a trace, and where a turn meets them.

They are nobody's: reserved domains and numbers, check digits computed for the test, tokens put together from pieces.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Canary:
    """A text as it stands there, and the part of it that must not be found anywhere."""

    text: str
    secret: str = ""

    @property
    def hidden(self) -> str:
        return self.secret or self.text


_JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJ1c2VyLTQyIn0" + ".c2lnbmF0dXJlLW9mLXRoZS10ZXN0"
_HEX = "9f86d081884c7d65" + "9a2feaa0c55ad015"
_PEM_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"

MESSAGE = (
    Canary("ada.lovelace@customer.example"),
    Canary("grace (at) hopper (dot) example", "hopper"),
    Canary("jürgen.müller@kunde.example"),
    Canary("+49 151 23456789"),
    Canary("(212) 555-0147"),
    Canary("0151/2345678"),
    Canary("4111 1111 1111 1111"),
    Canary("5500005555555559"),
    Canary("DE89 3704 0044 0532 0130 00"),
    Canary("gb29nwbk60161331926819"),
    Canary("078-05-1120"),
    Canary("my password is Tr0ub4dor&3", "Tr0ub4dor"),
    Canary("mein Passwort lautet korrekt-pferd", "korrekt-pferd"),
    # Six digits: four come by chance as part of the number of a process or a moment, seven are hidden as any number.
    Canary("PIN: 471193", "471193"),
    Canary("2001:db8:85a3::8a2e:370:7334"),
    Canary("api_key=" + "abc123DEF456", "abc123DEF456"),
)
PAGE = (
    Canary("/settings/security?reset_token=" + "pg1q2w3e4r5t", "pg1q2w3e4r5t"),
    Canary("Security of edsger@dijkstra.example", "edsger@dijkstra.example"),
    Canary("Clicked Save with 0044 20 7946 0958", "0044 20 7946 0958"),
    Canary("GET /v1/me failed, Authorization: Bearer " + _JWT, _JWT),
    Canary("connection to https://root:" + "s3same@intra.example/x refused", "s3same"),
    Canary("from 203.0.113.77"),
    Canary("ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"),
    Canary("Cookie: session=" + "k9-cookie-value-77", "k9-cookie-value-77"),
    Canary("device 00:1A:C2:7B:00:47", "00:1A:C2:7B:00:47"),
)
ACCOUNT = (
    Canary("Quillfeather Holdings"),
    Canary("acct_quill_77"),
    Canary("user_quill_42"),
    Canary("Wilhelmina Quartz"),
    Canary("Invited barbara@liskov.example", "barbara@liskov.example"),
    Canary("Called from 030 90182099", "030 90182099"),
    Canary("QF-ORDER-5512"),
)
ARTICLE = (
    Canary("AKIA" + "IOSFODNN7EXAMPLE"),
    Canary("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    Canary("xoxb-" + "2345678901-abcdefghijkl"),
    Canary("postgresql://app:" + "dbpass99@db.example/app", "dbpass99"),
    Canary(_HEX),
    Canary(f"-----BEGIN PRIVATE KEY-----\n{_PEM_BODY}\n-----END PRIVATE KEY-----", _PEM_BODY),
    Canary("sk-" + "proj-Zz11Yy22Xx33Ww44Vv55"),
    Canary("hotline@vendor.example"),
)
ALL = (*MESSAGE, *PAGE, *ACCOUNT, *ARTICLE)
