"""Numbers of persons pass by their shapes and check digits, and the same with one digit changed do not."""

from collections.abc import Callable

import pytest

from readiness_pipelines.detection.national_ids import PLAIN, PUNCTUATED, passes
from readiness_pipelines.detection.patterns import is_card, is_email, is_iban, is_ip_address, is_mac_address
from readiness_pipelines.detection.phones import is_international, looks_written

RIGHT = {
    "US social security numbers": ("078-05-1120", "666-05-1120"),
    "UK NHS numbers": ("943 476 5919", "943 476 5918"),
    "French social security numbers": ("2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
    "Spanish identity numbers": ("12345678Z", "12345678A"),
    "Italian tax codes": ("RSSMRA85T10A562S", "RSSMRA85T10A562T"),
    "Belgian national numbers": ("85.07.30-033.28", "85.07.30-033.29"),
    "Swedish personal numbers": ("811228-9874", "811228-9873"),
    "Finnish personal identity codes": ("131052-308T", "131052-308U"),
    "Brazilian CPF numbers": ("390.533.447-05", "390.533.447-06"),
    "Chinese resident identity numbers": ("11010519491231002X", "110105194912310021"),
    "Swiss AHV numbers": ("756.9217.0769.85", "756.9217.0769.84"),
    "Canadian social insurance numbers": ("193-456-787", "193-456-788"),
    "German tax identification numbers": ("86095742719", "86095742718"),
    "Dutch citizen service numbers": ("111222333", "111222334"),
    "Polish PESEL numbers": ("44051401359", "44051401358"),
    "Turkish identity numbers": ("10000000146", "10000000147"),
    "Indian Aadhaar numbers": ("234123412346", "234123412347"),
    "Austrian social security numbers": ("1237 010180", "1238 010180"),
}


@pytest.mark.parametrize(("what", "right", "wrong"), [(what, *pair) for what, pair in RIGHT.items()])
def test_a_number_passes_by_its_check_digit_and_not_with_another(what: str, right: str, wrong: str) -> None:
    validators = [found[what] for found in (PUNCTUATED, PLAIN) if what in found]
    assert any(passes(one, right) for one in validators)
    assert not any(passes(one, wrong) for one in validators)


@pytest.mark.parametrize(
    ("test", "right", "wrong"),
    [
        (is_card, "4111 1111 1111 1111|378282246310005", "4111111111111112|0000000000000000|12"),
        (is_iban, "DE89 3704 0044 0532 0130 00|GB82WEST12345698765432", "DE89370400440532013001|DE89"),
        (is_email, "a.b+c@d-e.example|müller@straße.de|Ann <a@b.io>", "a@b|@b.io|a b@c.io|x"),
        (is_ip_address, "10.0.0.1|::1|2001:db8::8a2e|1.2.3.4:80|10.0.0.0/8", "1.2.3|1.2.3.400|10:30"),
        (is_mac_address, "00:1B:44:11:3A:B7|001b.4411.3ab7", "00:1B:44|00:1B-44:11:3A:B7"),
        (is_international, "+49 30 123456|+1 (212) 555-0123|0044 20 7946 0958", "+1|30 123456|+999 1234567"),
        (
            looks_written,
            "(212) 555-0123|030/1234567|0171-2345678",
            "2125550123|2026-11-01|12.50|1,234,567|10.0.0.1|1-2",
        ),
    ],
)
def test_values_are_what_they_say(test: Callable[[str], bool], right: str, wrong: str) -> None:
    assert [text for text in right.split("|") if not test(text)] == []
    assert [text for text in wrong.split("|") if test(text)] == []
