"""Amounts as people and documents write them."""


def riyals(halalas: int) -> str:
    """An amount with two decimals, exact."""
    sign, halalas = ("-", -halalas) if halalas < 0 else ("", halalas)
    return f"{sign}{halalas // 100}.{halalas % 100:02}"
