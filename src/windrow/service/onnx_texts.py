"""The program and the page that go along with an export to ONNX."""

from typing import Final

from windrow.domain.classifier import Record

# It is read more often than run: short, and without anything that is not needed to answer as Windrow does.
PREDICT_PROGRAM: Final = '''\
"""Answer as the classifier does in Windrow. It needs onnxruntime, tokenizers and numpy: python predict.py TEXT..."""
import json, sys
from pathlib import Path
import numpy as np, onnxruntime, tokenizers

here = Path(__file__).parent
config, labels = (json.loads((here / name).read_text("utf-8")) for name in ("config.json", "labels.json"))
tokenizer = tokenizers.Tokenizer.from_file(str(here / "tokenizer.json"))  # truncates and pads
session = onnxruntime.InferenceSession(str(here / "model.onnx"), providers=["CPUExecutionProvider"])

def predict(texts, batch_size=32):
    """Yield the label (or labels) and the score of each label for each text; None where the classifier abstains."""
    for start in range(0, len(texts), batch_size):
        encodings = tokenizer.encode_batch([config["prompt"] + text for text in texts[start : start + batch_size]])
        ids, mask = (np.array([getattr(each, part) for each in encodings]) for part in ("ids", "attention_mask"))
        for row in session.run(None, {"input_ids": ids, "attention_mask": mask})[0].tolist():
            scores = dict(zip(labels["labels"], row))
            ranked = sorted(scores, key=scores.get, reverse=True)
            sure = [label for label in ranked if scores[label] >= (labels["abstain_below"] or 0)]
            if config["kind"] == "single_label":
                yield {"label": sure[0] if sure else None, "scores": scores}
            else:
                reached = [label for label in ranked if scores[label] >= labels["thresholds"][label]]
                given = [label for label in reached if label in sure]
                yield {"labels": None if reached and not given else given, "scores": scores}

if __name__ == "__main__":
    for answer in predict(sys.argv[1:] or sys.stdin.read().splitlines()):
        print(json.dumps(answer, ensure_ascii=False))
'''

_README: Final = """\
# {name}, as ONNX

The text classifier `{name}` (revision {revision}, {what}), exported from Windrow. It answers without Windrow, and
without a network:

```sh
pip install onnxruntime tokenizers numpy
python predict.py "a text" "another one"
```

`predict.py` also classifies each line of its standard input, and is a module: `from predict import predict`.

| file | what it is |
| --- | --- |
| `model.onnx`, `model.onnx.data` | one graph of standard operators (opset 20), with the weights of \
the encoder, of its adapter and of the calibrated head: `input_ids` and `attention_mask` [texts, tokens], int64, to \
`probabilities` [texts, labels], float32 |
| `tokenizer.json` | the tokenizer, which truncates to {max_tokens} tokens and pads on the right |
| `labels.json` | `labels` in the order of `probabilities`; `thresholds`, the score from which each label is given \
(several labels a text); `abstain_below`, the score below which no label is given |
| `config.json` | what stands before each text (`prompt`), the longest text in tokens, and where all of it came from |
| `predict.py` | the program |

The labels are those of the server, the scores within 0.0001. How far a text is in the classifier's scope, explanations
and near rows are left to the server. No training row is in here.

## Licence of the base model

`model.onnx.data` and `tokenizer.json` are derived from the base model `{base_model}`{commit}. {licence} Keep to its
terms when you pass this folder on.
"""


def readme(record: Record, max_tokens: int, licence: str | None) -> str:
    """Return the page that says what is in the export and how to ask it.

    Args:
        record: The classifier's record.
        max_tokens: Most tokens of a text that are read.
        licence: The base model's licence, as its card names it; ``None`` where that is not known.
    """
    one = record.kind == "single_label"
    known = f"Its card names the licence `{licence}`."
    unknown = f"Its folder names no licence: look at <https://huggingface.co/{record.base_model}>."
    return _README.format(
        name=record.name,
        revision=record.revision,
        what=f"one of {len(record.labels)} labels a text" if one else f"any of {len(record.labels)} labels a text",
        max_tokens=max_tokens,
        base_model=record.base_model,
        commit="" if record.base_model_revision is None else f" at commit `{record.base_model_revision}`",
        licence=unknown if licence is None else known,
    )
