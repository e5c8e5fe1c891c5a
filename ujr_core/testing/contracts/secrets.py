"""`SecretProviderContract`: what every provider of secrets promises."""

from __future__ import annotations

import concurrent.futures
import traceback
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import pytest

from ujr_core import hookspecs
from ujr_core.errors import ProviderUnavailable, SecretError, SecretNotFound, UJRError
from ujr_core.redact import SHORTEST
from ujr_core.secret import Secret, SecretRef
from ujr_core.testing.contracts.plugin import PluginContract, assert_four_parts
from ujr_core.testing.contracts.subject import MISSING, Subject
from ujr_core.testing.makers import make_job_config, make_node
from ujr_core.testing.plugins import Plugins

JOBS_AT_ONCE = 8

Supplied = Mapping[SecretRef | str, object] | None


@attrs.frozen(eq=False)
class Provider:
    """The provider that a contract is about, and the secret of it that the author knows.

    Args:
        name: of the plugin.
        plugins: it, loaded, and its company.
        ref: of a secret that is there.
        value: of that.
        missing: of one that is not there.
    """

    name: str
    plugins: Plugins
    ref: SecretRef
    value: str | bytes = attrs.field(repr=False)
    missing: SecretRef

    def supply(self, *refs: SecretRef) -> Supplied:
        """Ask as a runner does, for a job that names these secrets."""
        job = make_job_config("contract", params={f"secret_{number}": ref for number, ref in enumerate(refs)})
        return self.plugins.call(hookspecs.fetch_job_details, job=job, node=make_node()).get(self.name)

    def fetch(self) -> Secret:
        """Return the secret that is there."""
        supplied = self.supply(self.ref) or {}
        # Not asserted here and below: pytest would print what is compared, and that is the value.
        if self.ref not in supplied:
            pytest.fail(f'it does not answer "{self.ref}"; is its name {self.name}? If not, say name = …')
        secret = supplied[self.ref]
        if not isinstance(secret, Secret):
            pytest.fail(f'it answers "{self.ref}" with a {type(secret).__name__}, not a Secret')
        return secret

    def gives_value(self) -> bool:
        """Say whether the secret that is there has the value that it should have."""
        return self.fetch().reveal() == self.value

    def refusal(self, ref: SecretRef) -> UJRError:
        """Return the error with which it refuses a reference."""
        try:
            self.supply(ref)
        except UJRError as error:
            return error
        except Exception as error:  # noqa: BLE001  # the contract is about which one it is
            pytest.fail(f'"{ref}" with options {dict(ref.options)} raised {type(error).__name__}, no error of UJR')
        pytest.fail(f'"{ref}" with options {dict(ref.options)} was not refused')


class SecretProviderContract(PluginContract):
    """Tests of a plugin with ``fetch_job_details`` that supplies secrets.

    Attributes:
        known: reference, without the provider's name, and value of a secret that is there.
        missing: reference, without the provider's name, of one that is not.
        unavailable: a function without arguments that returns a context manager, which takes the backend away; if the
            provider has one that can be away.

    Example:
        >>> from ujr_core.testing import SecretProviderContract
        >>> class TestFile(SecretProviderContract):
        ...     plugin = "file"
        ...     known, missing = ("password", "correct-horse"), "nothing"
        ...
        ...     @pytest.fixture
        ...     def settings(self, tmp_path):
        ...         (tmp_path / "password").write_text("correct-horse")
        ...         return {"folder": str(tmp_path)}
    """

    known: ClassVar[Any] = MISSING
    missing: ClassVar[Any] = MISSING
    unavailable: ClassVar[Any] = None

    @pytest.fixture
    def provider(self, subject: Subject, loaded: Plugins) -> Provider:
        """Return the provider, loaded."""
        assert not loaded.errors, "\n".join(map(str, loaded.errors))
        path, value = subject.said("known")
        ref, missing = (SecretRef.parse(f"{subject.name}:{text}") for text in (path, subject.said("missing")))
        return Provider(subject.name, loaded, ref, value, missing)

    def test_it_supplies_what_a_job_names(self, provider: Provider) -> None:
        """For each reference there is a `Secret` with its value."""
        assert provider.gives_value(), f'the Secret of "{provider.ref}" has another value'

    def test_it_supplies_nothing_to_a_job_that_names_nothing(self, provider: Provider) -> None:
        """A job without its secrets gets none, and costs no request."""
        names = sorted(map(str, provider.supply() or ()))
        assert not names, f"a job that names none of its secrets got {names}"

    def test_it_leaves_the_secrets_of_others_alone(self, provider: Provider) -> None:
        """A reference names one provider, and is answered by that alone."""
        other = attrs.evolve(provider.ref, provider=f"{provider.name}-other")
        names = list(provider.supply(other, provider.ref) or ())
        assert other not in names, f'it answered "{other}", which is of another provider'

    def test_what_is_missing_is_not_found(self, provider: Provider) -> None:
        """A secret that is not there is SecretNotFound, and never unavailable, empty or a default."""
        error = provider.refusal(provider.missing)
        assert isinstance(error, SecretNotFound), f"it raised {type(error).__name__}, where SecretNotFound is meant"
        assert_four_parts(error)

    def test_an_option_that_it_does_not_know_is_refused(self, provider: Provider) -> None:
        """An option that means nothing is a mistake: whoever wrote it believes that it works."""
        error = provider.refusal(attrs.evolve(provider.ref, options=(("no_such_option", True),)))
        assert isinstance(error, SecretError), f"it raised {type(error).__name__}, which is no SecretError"
        assert_four_parts(error)

    def test_no_value_is_shown(
        self,
        provider: Provider,
        subject: Subject,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """No log, output, error or repr holds the value, whatever is asked for."""
        value = provider.value.decode("utf-8", "replace") if isinstance(provider.value, bytes) else provider.value
        if len(value) < SHORTEST:
            pytest.skip(f"the value of known is shorter than {SHORTEST} characters: it is found in innocent text")
        caplog.set_level(0)
        unknown = attrs.evolve(provider.ref, options=(("no_such_option", True),))
        shown = [_told_of(provider, ref) for ref in (provider.ref, provider.missing, unknown)]
        shown += [repr(provider.plugins.record(subject.name).plugin), caplog.text, *capfd.readouterr()]
        where = [text.replace(value, "<the value>") for text in shown if value in text]
        assert not where, "the value of the secret is shown in:\n" + where[0]

    def test_jobs_may_ask_at_once(self, provider: Provider) -> None:
        """Jobs are started on threads of their own, so several ask one provider at once."""
        with concurrent.futures.ThreadPoolExecutor(JOBS_AT_ONCE) as threads:
            asked = [threads.submit(provider.gives_value) for _ in range(JOBS_AT_ONCE)]
        assert all(one.result() for one in asked), "jobs that asked at once got other values"

    def test_the_version_is_that_of_the_value(self, provider: Provider) -> None:
        """The version of a value is text or None, and stays the same as long as the value does."""
        first, second = provider.fetch(), provider.fetch()
        kinds = type(first.version).__name__
        assert isinstance(first.version, str | None), f"the version is a {kinds}; it is text, or None"
        assert first.version == second.version, "one value has two versions, so its jobs would restart for nothing"

    def test_what_is_unavailable_is_not_missing(self, provider: Provider, subject: Subject) -> None:
        """While its backend is away it raises ProviderUnavailable; when it is back, the same instance goes on."""
        if not subject.has("unavailable"):
            pytest.skip("unavailable does not say how the backend of this provider can be away")
        with subject.said("unavailable")():
            for ref in (provider.ref, provider.missing):
                error = provider.refusal(ref)
                kind = type(error).__name__
                assert isinstance(error, ProviderUnavailable), f"it raised {kind}, where ProviderUnavailable is meant"
                assert_four_parts(error)
            names = list(provider.supply() or ())
            assert not names, "a job that names nothing of it got something while its backend was away"
        assert provider.gives_value(), "it does not go on when its backend is back"


def _told_of(provider: Provider, ref: SecretRef) -> str:
    try:
        return repr(provider.supply(ref))
    except Exception as error:  # noqa: BLE001  # what is looked at is its text
        return "".join(traceback.format_exception(error))
