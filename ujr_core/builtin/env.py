"""Secrets from the environment: ``{ secret = "env:NAME" }``.

The shortest useful secret provider: ``job.secrets("env")`` are the references that name it, and for each of them it
returns a `Secret`, or raises what tells missing from unavailable.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ujr_core import JobConfig, ProviderMisconfigured, Secret, SecretNotFound, SecretRef, did_you_mean, hookimpl


@hookimpl
def fetch_job_details(job: JobConfig) -> Mapping[SecretRef, Secret]:
    """Return the variables that a job names."""
    return {ref: _secret(ref) for ref in job.secrets("env")}


def _secret(ref: SecretRef) -> Secret:
    if ref.field or ref.options:
        what = f'"{ref}" has a field or options, and an environment variable has neither'
        raise ProviderMisconfigured("secret-misconfigured", what, str(ref), f'write {{ secret = "env:{ref.path}" }}')
    value = os.environ.get(ref.path)
    if value is None:
        what = f'there is no environment variable "{ref.path}"'
        fix = did_you_mean(ref.path, os.environ) or "set it before the runner starts"
        raise SecretNotFound("secret-not-found", what, str(ref), fix)
    return Secret(value, name=str(ref))
