"""Maskers and scrubbers that search every text with every pattern: what they say, the quick ones say too."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import strategies as st

from evals.tickets import scrub
from tools.tracing import masking
from tools.tracing.traits import UNTOLD, Traits


@contextmanager
def searching_everything() -> Iterator[None]:
    """Inside, no text is spared a search for its traits, a scrubber's clues, or what a pattern starts with.

    The clues of the rules stay: they are part of what the rules say.
    """
    rules = tuple(replace(rule, needs=Traits(), starts=()) for rule in masking._RULES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masking, "_rules_for", lambda traits: rules)
        patch.setattr(masking, "traits_of", lambda text: UNTOLD)
        patch.setattr(scrub, "traits_of", lambda text: UNTOLD)
        for table in ("_NAMED_IN_LINES", "_NAMED", "_STREETS"):
            sought = tuple(replace(each, clues=("",), starts=()) for each in getattr(scrub, table))
            patch.setattr(scrub, table, sought)
        yield


# fmt: off
_PIECES = (
    "password", "PASSPHRASE", "paſſword", "passcode", "pass", "passed", "token", "toKen", "secret", "api key",
    "apı_KEY", "access-key", "private key", "session id", "session İd", "credential", "pwd", "clave", "pin", "pın",
    "shopping", "puk", "PUK", "tan", "standard", "otp", "cvv", "CVC2", "security code", "one-time code", "contraseña",
    "kennwort", "is", "was", "ist", "es", ":", "=", ":=", "=>", "wrong", "hunter2", "abrete", "'", '"', "Cookie",
    "Bearer", "abc.def12345", "eyJhbGciOi.J9.x", "-----BEGIN PRIVATE KEY-----", "https://ada:pw@app.example/x",
    "/x?q=", "?a=1", "@", "ada@example.com", "ada (at) ex (dot) com", "sk-test", "sk_", "ghp_", "AKIA", "abcDEF12345",
    "abcdefghijklm1", "aBcDeFgHiJkLmNoPqRs", "a1b2c3d4e5f6g7h8i9j", "A/b+c=", "_", "GB29NWBK60161331926819",
    "DE89 3704 0044 0532 0130 00", "NO9386011117947", "AB12", "4111 1111 1111 1111", "411111111111", "41111111111",
    "1234567", "123456", "12345", "12", "+", "(", ")", "1", "2026-11-23", "1.2.3.4", "1.2.3", "300.1.1.1", "0.0",
    "00:1b:44:11:3a:b7", "00-1B-44-11-3A", "::1", "2001:db8::8a2e", "10:30:00", "a:b:c", "-", ".", "..", "٣",
    "٣٤٥٦٧٨٩", "²", "１２", "\u00a0", "\u202f", "·", "‐", "–", "\n", "\n\n", "\t", " ", "\u0345", "\u0301", "ß", "ẞ",
    "é", "中文", "😀", "Hi", "hi,", "Hello,", "Dear", "Lieber", "Hola", "Guten Tag", "Buenos días", "Kind regards",
    "Best", "cheers", "Thanks", "thank you", "SINCERELY", "sıncerely", "Viele Grüße", "GRÜẞE", "Gruß", "mfg", "LG",
    "vg", "Danke", "Un saludo", "atentamente", "Gracıas", "Sorry", "I'm", "It's", "This is", "I am", "hier ist", "Soy",
    "from", "of", "at", "von", "my name is", "My Name ıs", "ich heiße", "ICH HEIẞE", "mein Name ist", "Me llamo",
    "mi nombre eſ", "je m'appelle", "Mr", "Mrs.", "Mx", "Dr", "Prof.", "Herrn", "Frau", "Señora", "Sra", "Don",
    "Don't", "Doña", "Ada", "Ada Lovelace", "A. Lovelace", "O'Brien", "von Berg", "Müller-Lüdenscheidt", "Élodie",
    "Team", "Please", "Lindenweg 4", "Lange Straße 12a, 10115 Berlin", "12 Oak Street", "Baker St",
    "Calle de Alcalá 42", "Avda. Diagonal, 640", "SW1A 1AA", "M1 1AE", "[name]", "[secret]", ",", "!", "/", "tel",
    "order", "born", "€",
)
# fmt: on
texts = st.lists(st.sampled_from(_PIECES) | st.sampled_from((" ", " ", ", ", "\n")) | st.characters(), max_size=14).map(
    "".join
)
