"""RemoteOperations: the verbs, done by a server.

Owns predictions, judgements and aliases over HTTP, and puts the client together; knows nothing of how a verb is done.
"""

from windrow.client.asking import CHANGE, LONG_CHANGE, LONG_LOOK, LOOK, Asking
from windrow.client.keeping import Keeping
from windrow.client.paths import ALIASES, ROOT, alias_path, with_query
from windrow.client.training import Training
from windrow.client.transport import Transport
from windrow.domain.alias import Alias, AliasChange, PromoteRequest, Promotion, Said, check_said
from windrow.domain.comparison import CompareRequest, Comparison
from windrow.domain.errors import Abandoned, InvalidParameter
from windrow.domain.prediction import IsWanted, Prediction, PredictRequest, always
from windrow.domain.report import EvaluateRequest, Report
from windrow.domain.suggestion import Suggestions, SuggestRequest
from windrow.wire.alias import AliasDeleted, AliasHistory, AliasList, PromoteBody, PromoteReply, RollbackReply, SaidBody
from windrow.wire.comparison import CompareBody, CompareReply
from windrow.wire.prediction import ClassifiersReply, PredictBody, PredictReply, TextsReply
from windrow.wire.report import EvaluateBody, EvaluateReply
from windrow.wire.suggestion import SuggestBody, SuggestReply

_PREDICT = f"{ROOT}/predict"


class RemoteOperations(Training, Keeping):
    """Every verb of ``Operations``, done by a server; from any number of threads.

    Errors are those of ``windrow.domain.errors`` that the server raised, and those of ``windrow.client.errors`` where
    something stood between. What changes nothing is sent again where the server is busy or the connection breaks;
    what changes something never is.

    Args:
        url: The server's address (``http://127.0.0.1:14345``), with ``user:password@`` where a proxy asks for them.
        timeout_s: Longest silence of the server, in seconds. What may take minutes (trainings, judging by many rows,
            checks of the whole disk) may take as long as it needs.
        retries: How often what changes nothing is sent again.

    Raises:
        InvalidParameter: The URL is none, or a number lies outside its range.
    """

    __slots__ = ()

    def __init__(self, url: str, timeout_s: float = 60.0, retries: int = 3) -> None:
        if not timeout_s > 0:
            raise InvalidParameter(f"timeout_s is {timeout_s}; it must be more than 0.", {"parameter": "timeout_s"})
        super().__init__(Asking(Transport(url, retries), timeout_s))

    @property
    def url(self) -> str:
        """The server's address, without user and password."""
        return self.asking.transport.url

    def close(self) -> None:
        """Close the connections; the server goes on."""
        self.asking.transport.close()

    def predict(self, request: PredictRequest, is_wanted: IsWanted = always) -> tuple[Prediction, ...]:
        """Classify texts. See ``Operations.predict``.

        ``is_wanted`` is asked once, before anything is sent.
        """
        if not is_wanted():
            raise Abandoned("The caller left, so nothing was computed. Ask again.")
        body = PredictBody.of(request)
        content = self.asking.transport.ask(self.asking.call("POST", _PREDICT, LOOK, body))
        if body.texts is not None:
            return self.asking.read(content, TextsReply).to_domain()
        if body.model_names is not None:
            return self.asking.read(content, ClassifiersReply).to_domain()
        return (self.asking.read(content, PredictReply).to_domain(),)

    def evaluate(self, request: EvaluateRequest) -> Report:
        """Judge a classifier by labelled rows. See ``Operations.evaluate``."""
        return self.asking.post(f"{ROOT}/evaluate", EvaluateBody.of(request), EvaluateReply, LONG_CHANGE).to_domain()

    def compare(self, request: CompareRequest) -> Comparison:
        """Judge several classifiers by the same rows. See ``Operations.compare``."""
        return self.asking.post(f"{ROOT}/compare", CompareBody.of(request), CompareReply, LONG_LOOK).to_domain()

    def suggest(self, request: SuggestRequest) -> Suggestions:
        """Choose texts that are worth labelling. See ``Operations.suggest``."""
        return self.asking.post(f"{ROOT}/suggest", SuggestBody.of(request), SuggestReply, LONG_LOOK).to_domain()

    def promote(self, request: PromoteRequest) -> Promotion:
        """Point an alias at a classifier. See ``Operations.promote``."""
        path, body = alias_path(request.alias), PromoteBody.of(request)
        return self.asking.send("PUT", path, body, PromoteReply, LONG_CHANGE).to_domain()

    def rollback(self, alias: str, said: Said = Said()) -> Alias:
        """Point an alias back. See ``Operations.rollback``."""
        path = f"{alias_path(alias)}/rollback"
        return self.asking.post(path, SaidBody.of(said), RollbackReply, CHANGE).to_domain()

    def remove_alias(self, alias: str, said: Said = Said()) -> None:
        """Take an alias away. See ``Operations.remove_alias``."""
        check_said(said)
        path = with_query(alias_path(alias), reason=said.reason or None, by=said.by or None)
        self.asking.send("DELETE", path, None, AliasDeleted, CHANGE)

    def list_aliases(self) -> tuple[Alias, ...]:
        """Return every alias. See ``Operations.list_aliases``."""
        return self.asking.get(ALIASES, AliasList).to_domain()

    def alias_history(self, alias: str) -> tuple[AliasChange, ...]:
        """Return each change of an alias. See ``Operations.alias_history``."""
        return self.asking.get(f"{alias_path(alias)}/history", AliasHistory).to_domain()
