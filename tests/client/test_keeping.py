"""Files over HTTP: streamed, whole, or refused."""

import io
import tempfile

import pytest

from tests.client.sockets import ScriptedServer, reply
from windrow.client.errors import ConnectionLost
from windrow.client.remote import RemoteOperations
from windrow.domain.archive import ImportRequest
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import ClassifierNotFound

ROWS = (Row("I was charged twice", "billing"), Row("The app crashes", "bug"))


def test_an_export_is_a_file_that_an_import_takes(remote: RemoteOperations) -> None:
    remote.fit(FitRequest("tickets_v1", ROWS))
    export = remote.export("tickets_v1", training_rows=True)
    with tempfile.TemporaryFile() as file:
        for chunk in export.chunks:
            file.write(chunk)
        assert file.tell() == export.size_bytes
        imported = remote.import_classifier(file, ImportRequest("tickets_v2"))
    assert (imported.is_saved, imported.classifier.record.name) == (True, "tickets_v2")


def test_an_export_that_is_refused_is_refused_before_the_first_chunk(remote: RemoteOperations) -> None:
    with pytest.raises(ClassifierNotFound):
        remote.export("tickets_v1")


def test_an_export_that_breaks_off_is_told() -> None:
    name = 'attachment; filename="a.windrow"'
    whole = reply(body=b"x" * 1_000, content_type="application/octet-stream", Content_Disposition=name)
    with ScriptedServer([lambda connection: connection.sendall(whole[:-1])]) as server:
        export = RemoteOperations(server.url).export("a")
        assert (export.file_name, export.size_bytes) == ("a.windrow", 1_000)
        with pytest.raises(ConnectionLost):
            list(export.chunks)


def test_a_file_name_is_never_a_path() -> None:
    name = 'attachment; filename="../../a.windrow"'
    with ScriptedServer([reply(body=b"x", Content_Disposition=name)]) as server:
        assert RemoteOperations(server.url).export("tickets_v1@3").file_name == "tickets_v1.windrow"


def test_an_import_says_how_it_is_to_be_taken_in() -> None:
    with ScriptedServer([None]) as server, pytest.raises(ConnectionLost):
        RemoteOperations(server.url).import_classifier(io.BytesIO(b"x"), ImportRequest("a", overwrite=True))
    assert server.lines == ["POST /v1/classifier/models/import?model_name=a&overwrite=true"]
