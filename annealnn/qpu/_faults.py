"""What the client's errors mean for a job: whether it was accepted, and whether it may be tried again."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from annealnn.exceptions import (
    QPUAuthenticationError,
    QPUConfigurationError,
    QPUError,
    QPUUnavailableError,
    SolverNotFoundError,
)

# token: the service does not take it. busy: not accepted, for load. away: the request never reached a service.
# refused: not accepted, for good. lost: no reply, or none that can be read. offline, failed, cancelled: what became of
# a job that was accepted. unknown: the service knows of no such thing. closed: we hung up.
Kind = Literal["token", "busy", "away", "refused", "lost", "offline", "failed", "cancelled", "unknown", "closed"]

_CONFIGURE = (
    "Configure the access to your D-Wave account: `dwave config create`, or set DWAVE_API_TOKEN (and DWAVE_API_SOLVER, "
    "DWAVE_API_ENDPOINT), or name a profile of your configuration file"
)


class Fault(NamedTuple):
    """What went wrong, and the words for it, without a credential."""

    kind: Kind
    text: str


def fault_of(error: BaseException, *, accepted: bool = False) -> Fault:
    """Say what an error of the client means.

    Parameters
    ----------
    error : Exception
    accepted : bool
        Whether the service gave the job an id before.
    """
    from dwave.cloud import exceptions as client
    from dwave.cloud.api import exceptions as api

    code = getattr(error, "error_code", None)
    text = _text(error)
    if isinstance(error, api.ResourceAuthenticationError) or code == 401:
        return Fault("token", text)
    if isinstance(error, client.CanceledFutureError):
        return Fault("cancelled", "it was cancelled")
    if isinstance(error, client.UseAfterCloseError):
        return Fault("closed", "the connection was closed")
    if isinstance(error, client.SolverOfflineError) or (
        isinstance(error, client.SolverFailureError) and "solver is offline" in text.lower()
    ):
        return Fault("offline", text)
    if isinstance(error, client.SolverFailureError):
        # without an id it is the refusal of one item of a batch
        return Fault("failed" if accepted else "refused", text)
    if isinstance(error, api.ResourceLimitsExceededError) or code == 429:
        return Fault("busy", text)
    if isinstance(error, api.ResourceNotFoundError) or code == 404:
        return Fault("unknown" if accepted else "refused", text)
    if isinstance(error, api.ResourceBadRequestError | api.ResourceAccessForbiddenError | api.ResourceConflictError):
        return Fault("refused", text)
    if isinstance(code, int) and 400 <= code < 500:
        return Fault("refused", text)
    if any(type(cause).__name__ in _NEVER_LEFT for cause in _causes(error)):
        return Fault("away", text)
    return Fault("lost", text)


# urllib3's, of connections that were not made
_NEVER_LEFT = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ConnectTimeout")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


def _text(error: BaseException) -> str:
    code = getattr(error, "error_code", None)
    said = getattr(error, "error_msg", None) or str(error)
    name = type(error).__name__
    return f"{name}{f' {code}' if code else ''}{f': {said}' if said and said != name else ''}"


def unsettled(error: BaseException) -> bool:
    """Return whether opening a connection may go better at once: the service is overloaded, or hung up."""
    from dwave.cloud.api.exceptions import RequestTimeout
    from requests.exceptions import InvalidHeader

    if isinstance(error, InvalidHeader):
        return False
    # a timeout has taken long enough; a refused connection looks like one; others than OSErrors never left the machine
    passing = isinstance(error, OSError) and not isinstance(error, RequestTimeout)
    return passing and fault_of(error).kind in ("busy", "lost")


def opening_error(error: Exception, *, endpoint: str | None, solver: object) -> QPUError:
    """Return our error for the client's, met while a connection was opened."""
    from dwave.cloud import exceptions as client
    from dwave.cloud.api import exceptions as api
    from dwave.cloud.config.exceptions import ConfigFileError
    from requests.exceptions import InvalidHeader

    where = f" at {_hosted(endpoint)}" if endpoint else ""
    if isinstance(error, InvalidHeader):
        # its text shows the token
        msg = (
            "a token, and every header of the profile, is one line without blanks around it; what is configured "
            f"is not. {_CONFIGURE}"
        )
        return QPUConfigurationError(msg)
    if isinstance(error, client.SolverNotFoundError | api.ResourceNotFoundError):
        what = f"no solver{where} is {solver!r}" if solver else f"the service{where} lists no processor"
        msg = (
            f"{what}. `dwave solvers` lists those that your account may use; leave the solver out for the one with "
            "most qubits"
        )
        return SolverNotFoundError(msg)
    if isinstance(error, api.ResourceAuthenticationError | api.ResourceAccessForbiddenError):
        msg = f"the service{where} does not take the token ({_text(error)}); tokens belong to one region. {_CONFIGURE}"
        return QPUAuthenticationError(msg)
    if isinstance(error, ConfigFileError):
        msg = f"D-Wave's configuration file cannot be read: {error}. {_CONFIGURE}"
        return QPUConfigurationError(msg)
    if isinstance(error, OSError | client.SolverError):
        what = "cannot be reached" if fault_of(error).kind == "away" else f"does not answer: {_text(error)}"
        msg = (
            f"the service{where} {what}. Check the network, the endpoint (DWAVE_API_ENDPOINT, or endpoint in the "
            "profile) and the region"
        )
        return QPUUnavailableError(msg)
    return QPUConfigurationError(f"the solver cannot be opened: {_configuration_problem(error)}. {_CONFIGURE}")


def _hosted(endpoint: str) -> str:
    """Return an address without the user's name and password that may stand before its host."""
    return re.sub(r"(//|^)[^/\s]*@", r"\1", endpoint)


def _configuration_problem(error: Exception) -> str:
    listed = getattr(error, "errors", None)
    if callable(listed):
        # pydantic shows what it was given, the token among it
        rules = listed(include_input=False, include_url=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, rule['loc']))}: {rule['msg']}" for rule in rules)
    return str(error)
