"""What a bundle holds of a carrier profile: one that ships with simdiag whole, else its numbers.

A profile of the user's own may hold anything: a company's name, a private access point and how
to log in to it, somebody's telephone number.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

import simdiag.profiles
from simdiag.bundle.denial import is_known_apn
from simdiag.bundle.fields import Names
from simdiag.profile import Apn, CarrierProfile

OWN = "own_profile"
"""The id that stands for every profile that does not ship."""
_ISSUER = 6
"""Leading digits of an ICCID that name its issuer, and nobody's card."""


def redacted_profile(profile: CarrierProfile | None, names: Names) -> CarrierProfile | None:
    """Return a profile as it may be seen: of the user's own, what a verdict is read with.

    What the model gains later stays out of it too, for only what is named here gets in.
    """
    if profile is None or profile == _shipped(profile.id):
        return profile
    return CarrierProfile(
        id=OWN,
        name={"en": "a profile of the user's own"},
        country=profile.country,
        plmns=profile.plmns,
        iccid_prefixes=tuple(prefix[:_ISSUER] for prefix in profile.iccid_prefixes),
        apns=tuple(
            Apn(
                name=apn.name if is_known_apn(apn.name) else names.token("apn", apn.name),
                use=apn.use, pdp_type=apn.pdp_type, auth=apn.auth, source="",
            )
            for apn in profile.apns
        ),
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _shipped(profile_id: str) -> CarrierProfile | None:
    paths = (Path(folder, f"{profile_id}.toml") for folder in simdiag.profiles.__path__)
    found = next((path for path in paths if path.is_file()), None)
    return CarrierProfile.model_validate(tomllib.loads(found.read_text("utf-8"))) if found else None
