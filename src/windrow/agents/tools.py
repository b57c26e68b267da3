"""The tools that agents call: for each, its verb, the arguments that are offered, and what a model is told of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from windrow.agents.tool_schemas import input_schema, output_schema
from windrow.api.endpoints import BY_VERB, Endpoint
from windrow.api.flat import FORMS, ModelPage, TextsReply
from windrow.codec.schema import JsonObject
from windrow.codec.validation import nearest, read_value
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidParameter, InvalidRequest
from windrow.domain.prediction import Prediction

# What an agent may do beside reading, as the options of the command allow it.
Permission = Literal["changes", "overwrites"]
OPTIONS: Final[Mapping[Permission, str]] = {"changes": "--allow-changes", "overwrites": "--allow-overwrites"}
# A model reads all of a list, so it gets little at a time.
MODELS_PER_PAGE: Final = 50
_ADVICE: Final = "Correct the arguments and call the tool again."


@dataclass(frozen=True)
class Tool:
    """One tool."""

    name: str
    """What agents call it by."""
    title: str
    """What people see."""
    verb: str
    """The verb of ``Operations`` that does it."""
    description: str
    """What a model must know to call it well."""
    arguments: tuple[str, ...]
    """The fields of the request that are always offered."""
    guarded: Mapping[str, Permission] = field(default_factory=dict)
    """Fields that are offered only where something is allowed."""
    defaults: Mapping[str, object] = field(default_factory=dict)
    """Values of fields that are left out or not offered, where they are other ones than the request's."""
    forms: tuple[Any, ...] = ()
    """The classes of its reply, where they are other ones than the verb's."""
    needs: Permission | None = None
    """What must be allowed for it to be offered at all."""
    is_destructive: bool = False
    """Whether it may take away or replace something even so."""

    @cached_property
    def endpoint(self) -> Endpoint[Any]:
        """The verb's place in HTTP, which says what scope it needs."""
        return BY_VERB[self.verb]

    def offered(self, allowed: Collection[Permission]) -> dict[str, object]:
        """Return the arguments that are offered, with their default where it is another one than the request's.

        Args:
            allowed: What agents may do.
        """
        guarded = [name for name, needed in self.guarded.items() if needed in allowed]
        return {name: self.defaults.get(name, ...) for name in (*self.arguments, *guarded)}

    def input_schema(self, allowed: Collection[Permission]) -> JsonObject:
        """Return the schema of its arguments.

        Args:
            allowed: What agents may do.
        """
        return input_schema(self.endpoint.request, self.offered(allowed))

    def output_schema(self) -> JsonObject:
        """Return the schema of what it answers."""
        return output_schema(self.forms or FORMS.get(self.verb) or (self.endpoint.reply,))

    def is_read_only(self, allowed: Collection[Permission]) -> bool:
        """Whether no call of it changes anything.

        Args:
            allowed: What agents may do.
        """
        return self.needs is None and not any(name in allowed for name in self.guarded.values())

    def may_destroy(self, allowed: Collection[Permission]) -> bool:
        """Whether a call of it may take away or replace something.

        Args:
            allowed: What agents may do.
        """
        return self.is_destructive or ("overwrites" in allowed and "overwrites" in self.guarded.values())

    def read(self, arguments: Mapping[str, Any], allowed: Collection[Permission], limits: DataLimits | None) -> Any:
        """Return the verb's request.

        Args:
            arguments: What the agent sent.
            allowed: What agents may do.
            limits: On the number of rows; ``None`` where a server counts them.

        Raises:
            InvalidParameter: An argument is not offered, though the verb has it.
            InvalidRequest: The arguments have another shape.
            LimitExceeded: There are too many rows.
        """
        offered = self.offered(allowed)
        for name in arguments:
            if name not in offered:
                raise self._not_offered(name, offered)
        preset = {name: value for name, value in self.defaults.items() if name not in arguments}
        return read_value(self.endpoint.request, dict(arguments), preset=preset, limits=limits, advice=_ADVICE)

    def _not_offered(self, name: str, offered: Mapping[str, object]) -> InvalidParameter | InvalidRequest:
        """Return the error for an argument that is not offered."""
        if name in self.guarded:
            return InvalidParameter(
                "This server lets no agent set {arg:{parameter}}. Leave it out, or ask whoever runs it to start "
                "`windrow mcp` with {option}.",
                {"parameter": name, "option": OPTIONS[self.guarded[name]]},
            )
        near = nearest(name, tuple(offered))
        hint = f"did you mean {near}?" if near else f"known are {', '.join(offered)}."
        return InvalidRequest(
            "The tool {tool} has no argument of the name {argument!r}; {hint} " + _ADVICE,
            {"tool": self.name, "argument": name[:40], "hint": hint, "problems": [f"unknown argument; {hint}"]},
        )


TOOLS: Final = (
    Tool(
        "classify_text",
        "Classify without a classifier",
        "classify",
        "Choose, for one text or several, which of the labels that you name fits best. Nothing is trained and nothing "
        "kept: it compares the text with the names of the labels, so use it where there are no labelled examples. "
        "Label names that say what they mean (`billing question` rather than `B1`) and a sentence for each in "
        "`label_descriptions` make it better. Send either `text` or `texts`. The answer has `label` and, for each "
        "label, a score from 0 to 1. Where a classifier for the task exists (see classifier_models), "
        "classifier_predict is more accurate.",
        ("text", "texts", "labels", "multi_label", "hypothesis_template", "label_descriptions"),
        forms=FORMS["classify"],
    ),
    Tool(
        "classifier_predict",
        "Predict with a classifier",
        "predict",
        "Classify one text, or up to 1,000, with a trained classifier. `model_name` is a name that classifier_models "
        "lists, an alias, or one revision (`tickets_v1@3`). Send either `text` or `texts`. The answer has `label`, "
        "calibrated `scores` from 0 to 1 that say how likely each label is right, and `in_scope`, from 0 to 1: how "
        "similar the text is to what the classifier was trained on. Do not rely on a label with a low score or a low "
        "`in_scope`; `abstain_below` and `min_in_scope` turn such answers into `label: null`. `explain`, with one "
        "text, says which words and which training examples led to the answer.",
        ("model_name", "text", "texts", "top_k", "abstain_below", "min_in_scope", "explain"),
        forms=(Prediction, TextsReply),
    ),
    Tool(
        "classifier_models",
        "List classifiers",
        "list_classifiers",
        "List the classifiers that exist, with their labels, how many examples each was trained on, and their "
        "accuracy: `test_accuracy` on rows that were kept apart, `estimated_accuracy` by cross-validation, each with "
        "its interval. Call it first to find out which `model_name` the other tools take. At most "
        f"{MODELS_PER_PAGE} come at a time; `next_cursor`, sent as `cursor`, gives the next ones.",
        ("task", "prefix", "tag", "sort", "limit", "cursor"),
        defaults={"limit": MODELS_PER_PAGE},
        forms=(ModelPage,),
    ),
    Tool(
        "classifier_evaluate",
        "Evaluate a classifier",
        "evaluate",
        "Measure how good a classifier is on labelled rows that it was not trained on: `accuracy` with its interval, "
        "precision and recall of each label, and the rows that it gets wrong. `test_data` is a list of "
        '`{"text": …, "label": …}`, or `{"text": …, "labels": […]}` for a classifier with several labels a text. With '
        "fewer than about 50 rows, look at the interval rather than at the accuracy.",
        ("model_name", "test_data", "target_precision", "target_recall"),
        guarded={"save": "changes"},
        defaults={"save": False},
    ),
    Tool(
        "classifier_compare",
        "Compare classifiers",
        "compare",
        "Compare 2 to 20 classifiers on the same labelled rows that none of them was trained on, and recommend which "
        "one to promote. It says whether a difference may be chance. Nothing is kept. Use it before classifier_promote "
        "replaces a classifier that is in use.",
        ("model_names", "test_data"),
    ),
    Tool(
        "classifier_fit",
        "Train a classifier",
        "fit",
        "Train a classifier on labelled rows, save it under a new name, and return once it answers. `training_data` is "
        'a list of `{"text": …, "label": …}`; 8 or more different texts of each label are a good start, 2 the least. '
        'For several labels a text, send `{"text": …, "labels": […]}`. Names end in a version by custom '
        "(`tickets_v1`); the answer gives `next_name` for the next one. `extends` names a classifier whose kept rows "
        "are trained on, too, so that only new or corrected rows need to be sent. With `num_iterations` 0 it takes "
        "about a second; the default takes seconds to minutes and is usually more accurate. `warnings` says what is "
        "odd about the rows. To cancel it, cancel the call; nothing is left behind then.",
        (
            "model_name",
            "training_data",
            "num_iterations",
            "cross_validate",
            "max_seconds",
            "extends",
            "label_descriptions",
            "multi_label",
            "merge_labels",
            "description",
            "tags",
        ),
        guarded={"overwrite": "overwrites"},
        defaults={"overwrite": False},
        needs="changes",
    ),
    Tool(
        "classifier_promote",
        "Promote a classifier",
        "promote",
        "Point an alias at a classifier: programs that ask for the alias get answers of that classifier from then on. "
        "A new alias is made. Rows that the alias keeps are checked first, and so is what `require` says, such as "
        "that the new classifier is not worse than the old one on your test rows; where a check fails, nothing changes "
        "and the error says which. Say in `reason` why. Only promote where you were asked to: it changes what other "
        "programs get.",
        ("alias", "model_name", "require", "reason", "author"),
        guarded={"must_pass": "overwrites"},
        needs="changes",
        # Not only additive: the alias pointed elsewhere before. `windrow rollback` points it back.
        is_destructive=True,
    ),
)
BY_NAME: Final[Mapping[str, Tool]] = {tool.name: tool for tool in TOOLS}


def offered_tools(allowed: Collection[Permission]) -> tuple[Tool, ...]:
    """Return the tools that are offered.

    Args:
        allowed: What agents may do.
    """
    return tuple(tool for tool in TOOLS if tool.needs is None or tool.needs in allowed)


def find_tool(name: str, allowed: Collection[Permission]) -> Tool:
    """Return a tool that is offered.

    Args:
        name: What it is called.
        allowed: What agents may do.

    Raises:
        InvalidParameter: There is none of that name, or it is not offered.
    """
    tool = BY_NAME.get(name)
    offered = offered_tools(allowed)
    if tool is None:
        raise InvalidParameter(
            "There is no tool of the name {value!r}. Call one of {tools:joined}.",
            {"parameter": "name", "value": name[:80], "tools": [each.name for each in offered]},
        )
    if tool not in offered:
        assert tool.needs is not None
        raise InvalidParameter(
            "This server lets no agent call {value}. Ask whoever runs it to start `windrow mcp` with {option}.",
            {"parameter": "name", "value": name, "option": OPTIONS[tool.needs]},
        )
    return tool


# What a model is told of the server as a whole.
INSTRUCTIONS: Final = (
    "Windrow trains text classifiers from a handful of labelled examples and answers with them in milliseconds. Call "
    "classifier_models to see which classifiers exist, classifier_predict to classify with one, and classify_text "
    "where none exists yet. An error has a stable `code` and says what to do next."
)
