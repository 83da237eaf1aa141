"""Policy as data: what may be published, read from TOML, compiled to a plan (docs/policy.md)."""

from veil.policy.policy import Policy, load_policy, load_site

__all__ = ["Policy", "load_policy", "load_site"]
