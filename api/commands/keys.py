"""Commands about keys: `hadiyati rotate-keys` and `hadiyati rotate-sealing-key`."""

import typer

# Every process has read the file by then, and so has whoever keeps a copy of the published keys.
_KNOWN_IN_S = 300


def rotate_keys() -> None:
    """Sign tokens with a new key from in five minutes on; the keys before it stay valid meanwhile.

    Nobody is logged out: a key is dropped at a later rotation, when its last token has expired.
    """
    from actors.chance import SystemChance
    from actors.clock import SystemClock
    from api.keys import open_keys, rotate_signing_key
    from api.settings import Settings
    from engine.kernel.timing import SECOND_MS

    settings = Settings()
    open_keys(settings.key_file, SystemChance())
    added, dropped = rotate_signing_key(
        settings.key_file,
        now=SystemClock().now(),
        known_in_ms=_KNOWN_IN_S * SECOND_MS,
        valid_for_ms=settings.identity.access_token_s * SECOND_MS,
    )
    typer.echo(f"Added key {added}; it signs in {_KNOWN_IN_S // 60} minutes.")
    for kid in dropped:
        typer.echo(f"Dropped key {kid}: its last token has expired.")


def rotate_sealing_key() -> None:
    """Seal personal data under a new key; what is there is sealed anew when a process starts.

    The keys before it stay in the file: a backup may need them.
    """
    from actors.chance import SystemChance
    from api.keys import add_sealing_key, open_keys
    from api.settings import Settings

    settings = Settings()
    open_keys(settings.key_file, SystemChance())
    name = add_sealing_key(settings.key_file, SystemChance())
    typer.echo(f"Added key {name}. Restart a process to seal with it what is there.")
