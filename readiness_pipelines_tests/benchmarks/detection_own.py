"""Columns made for tuning the detector, by the author of its patterns: its figures on them say little."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Labelled:
    """A column of a table: its name, its values, and whether they are about persons."""

    table: str
    name: str
    values: Sequence[Any]
    personal: bool
    group: str = ""


def own_columns(seed: int = 7, rows: int = 400) -> list[Labelled]:
    """A table of customers, one of patients, one of orders, one of machines and one of odds and ends."""
    rng = random.Random(seed)

    def column(table: str, name: str, make: Callable[[], Any], personal: bool) -> Labelled:
        return Labelled(table, name, [make() for _ in range(rows)], personal, group=name)

    first = ["Anna", "Peter", "María", "Jürgen", "Zoë", "Mehmet", "Olga", "Liam", "Noor", "Bjørn"]
    last = ["Schmidt", "O'Neill", "de la Cruz", "Kowalska", "Nguyễn", "Smith-Jones", "Öztürk", "Rossi", "Dubois"]
    words = ["red", "blue", "bolt", "nut", "panel", "cable", "filter", "pump", "valve", "seal", "screw"]

    def day() -> str:
        return (date(1930, 1, 1) + timedelta(days=rng.randrange(28_000))).isoformat()

    def digits(count: int) -> str:
        return "".join(rng.choice("0123456789") for _ in range(count))

    def card() -> str:
        body = "4" + digits(14)
        return next(body + str(check) for check in range(10) if _luhn(body + str(check)))

    def german_iban() -> str:
        body = digits(18)
        return f"DE{98 - int(body + '131400') % 97:02d}{body}"

    customers = [
        column("customers", "customer_no", lambda: rng.randrange(10_000, 99_999), True),
        column("customers", "Vorname", lambda: rng.choice(first), True),
        column("customers", "NACHNAME", lambda: rng.choice(last), True),
        column(
            "customers", "eMailAddress", lambda: f"{rng.choice(words)}{digits(3)}@{rng.choice(words)}.example", True
        ),
        column("customers", "Mobile Phone", lambda: f"+49 17{digits(1)} {digits(7)}", True),
        column("customers", "street", lambda: f"{rng.choice(last)}straße {rng.randrange(1, 99)}", True),
        column("customers", "PLZ", lambda: digits(5), True),
        column("customers", "Ort", lambda: rng.choice(["Kiel", "Graz", "Bern", "Ulm"]), True),
        column("customers", "dateOfBirth", day, True),
        column("customers", "IBAN", german_iban, True),
        column("customers", "cc_number", card, True),
        column("customers", "remarks", lambda: "please call back tomorrow about the order", True),
        column("customers", "newsletter", lambda: rng.choice(["yes", "no"]), False),
        column("customers", "email_verified", lambda: rng.choice(["true", "false"]), False),
        column("customers", "created_at", lambda: f"2026-0{rng.randrange(1, 9)}-1{digits(1)} 12:00:00", False),
        column("customers", "segment", lambda: rng.choice("ABC"), False),
    ]
    patients = [
        column("patients", "MRN", lambda: f"MRN{digits(7)}", True),
        column("patients", "PatientName", lambda: f"{rng.choice(first)} {rng.choice(last)}", True),
        column("patients", "sex", lambda: rng.choice("MF"), True),
        column("patients", "age", lambda: rng.randrange(0, 99), True),
        column("patients", "ethnicity", lambda: rng.choice(["White", "Asian", "Black"]), True),
        column("patients", "SSN", lambda: f"{rng.randrange(100, 600)}-{rng.randrange(10, 99)}-{digits(4)}", True),
        column("patients", "diagnosis_code", lambda: f"E{digits(2)}.{digits(1)}", True),
        column("patients", "ward", lambda: rng.choice(["A1", "B2"]), False),
        column("patients", "length_of_stay", lambda: rng.randrange(1, 14), False),
        column("patients", "temperature", lambda: round(rng.gauss(37, 0.5), 1), False),
    ]
    orders = [
        column("orders", "order_id", lambda: digits(10), False),
        column("orders", "sku", lambda: f"{digits(3)}-{digits(3)}-{digits(3)}", False),
        column("orders", "ean", lambda: _ean(digits(12)), False),
        column("orders", "product_name", lambda: f"{rng.choice(words)} {rng.choice(words)}", False),
        column("orders", "company_name", lambda: f"{rng.choice(last)} GmbH", False),
        column("orders", "amount", lambda: round(rng.random() * 1000, 2), False),
        column("orders", "order_date", day, False),
        column("orders", "status", lambda: rng.choice(["paid", "open"]), False),
        column("orders", "tracking", lambda: f"1Z{digits(16)}", False),
        column("orders", "version", lambda: f"{digits(1)}.{digits(1)}.{digits(1)}.{digits(1)}", False),
        column("orders", "note_count", lambda: rng.randrange(9), False),
    ]
    machines = [
        column("machines", "machine", lambda: f"M-{digits(4)}", False),
        column("machines", "lat", lambda: round(rng.uniform(40, 50), 5), False),
        column("machines", "lon", lambda: round(rng.uniform(5, 15), 5), False),
        column("machines", "city", lambda: rng.choice(["Kiel", "Graz"]), False),
        column("machines", "serial", lambda: int(digits(10)), False),
        column("machines", "pressure", lambda: rng.gauss(1013, 4), False),
        column("machines", "epoch", lambda: 1_600_000_000 + rng.randrange(10**8), False),
        column("machines", "checksum", lambda: f"{rng.getrandbits(256):064x}", False),
        column("machines", "state", lambda: rng.choice(["on", "off"]), False),
        column("machines", "last", lambda: rng.gauss(0, 1), False),
    ]
    odds = [
        column("odds", "ip", lambda: f"{rng.randrange(1, 223)}.{digits(2)}.{rng.randrange(255)}.{digits(2)}", True),
        column("odds", "user_name", lambda: f"{rng.choice(words)}_{digits(2)}", True),
        column("odds", "c1", lambda: f"{rng.choice(words)}@{rng.choice(words)}.example", True),
        column("odds", "c2", lambda: f"(212) {rng.randrange(200, 999)}-{digits(4)}", True),
        column("odds", "body", lambda: f"mail me at {rng.choice(words)}@x.example or call", True),
        column("odds", "email_hash", lambda: f"{rng.getrandbits(128):032x}", False),
        column("odds", "url", lambda: f"https://x.example/{rng.choice(words)}", False),
    ]
    return [*customers, *patients, *orders, *machines, *odds]


def _luhn(text: str) -> bool:
    total = 0
    for place, letter in enumerate(reversed(text)):
        digit = int(letter) * (2 if place % 2 else 1)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def _ean(body: str) -> str:
    weighted = sum(int(letter) * (3 if place % 2 else 1) for place, letter in enumerate(body))
    return f"{body}{-weighted % 10}"
