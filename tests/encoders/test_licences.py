"""What a base model's card says about its licence."""

from pathlib import Path

import pytest

from windrow.encoders.folder import EncoderFolder, find_bundled, read_bundled, read_encoder_folder
from windrow.encoders.licences import read_licence


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlanguage: en\nlicense: mit\n---\n# A model\n", "mit"),
        ("---\r\nlicense: 'apache-2.0'\r\ntags: []\r\n---\r\n", "apache-2.0"),
        ("---\nlicense:\n- mit\n---\n", None),
        ("---\nlicense_name: other\n---\nlicense: mit\n", None),
        ("# A card without a head\nlicense: mit\n", None),
        ("", None),
    ],
)
def test_the_head_of_a_card_names_the_licence(path: Path, card: str, licence: str | None) -> None:
    (path / "README.md").write_bytes(card.encode())
    assert read_licence(read_encoder_folder(path, "tests/tiny")) == licence


def test_a_folder_without_a_card_names_none(tiny_folder: EncoderFolder) -> None:
    assert read_licence(tiny_folder) is None


def test_the_bundled_base_model_names_its_licence() -> None:
    bundled = find_bundled()
    assert bundled is not None
    assert read_licence(read_bundled(bundled)) == "apache-2.0"
