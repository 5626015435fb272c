"""`tap-sage300 --test`: login, each company, each module, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_connector.extract import Finding

from tap_sage300.errors import LoginRefused, NotAllowed, Sage300Error, StreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_sage300.client import Sage300Client


def check(
    companies: Sequence[str], modules: Sequence[str], client: Callable[[str], Sage300Client]
) -> Iterator[Finding]:
    """Try what a run needs, step by step.

    Args:
        companies: The Org IDs of the settings.
        modules: The modules with selected streams.
        client: Gives a company's client.

    Yields:
        A finding for the login and company, then one for each module. A module that is not activated is no
        failure, since its streams are skipped.
    """
    for company in companies:
        try:
            profile = next(iter(client(company).pages("CS", "CSCompanyProfile")), None)
        except (StreamUnavailable, NotAllowed):
            yield Finding(ok=True, text=f"{company}: login accepted; its company profile cannot be read.")
        except LoginRefused as error:
            yield Finding(ok=False, text=f"{company}: {error}")
            # A second wrong login would only bring the account nearer to being locked.
            return
        except Sage300Error as error:
            yield Finding(ok=False, text=f"{company}: {error}")
            continue
        else:
            name = profile.records[0].get("CompanyName") if profile and profile.records else None
            yield Finding(ok=True, text=f"{company}: login accepted{f' ({name})' if name else ''}.")
        for module in modules:
            yield _module(client(company), module)


def _module(client: Sage300Client, module: str) -> Finding:
    try:
        sets = client.metadata(module).entity_sets
    except StreamUnavailable:
        return Finding(ok=True, text=f"{client.company} {module}: not available; its streams are skipped.")
    except Sage300Error as error:
        return Finding(ok=False, text=f"{client.company} {module}: {error}")
    return Finding(ok=True, text=f"{client.company} {module}: {len(sets)} entity sets.")
