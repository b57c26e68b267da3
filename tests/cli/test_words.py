"""No word of the HTTP API is left in a message where it has an option, and nothing else is touched."""

import re

import pytest

from windrow.cli.words import in_options

API_WORDS = re.compile(
    r"\brequire\.|\b(test|training)_data\b|\b(not_worse|min_recall|must_pass|num_iterations|failed_rows)\b|=true|=false"
    r"|\b[Ss]end\b|see rows"
)


@pytest.mark.parametrize(
    ("verb", "message", "told"),
    [
        (
            "promote",
            "require.test_data alone asks for nothing. Send not_worse or min_recall too, or leave the rows out.",
            "--test-data alone asks for nothing. Pass --not-worse or --min-recall too, or leave the rows out.",
        ),
        (
            "promote",
            "not_worse and min_recall need labelled rows to look at. Send require.test_data, or leave them out.",
            "--not-worse and --min-recall need labelled rows to look at. Pass --test-data, or leave them out.",
        ),
        (
            "promote",
            "require.min_recall names the label 'a', which no row of require.test_data has.",
            "--min-recall names the label 'a', which no row of --test-data has.",
        ),
        (
            "promote",
            "Try again, or take the condition back: must_pass beside require says which rows the alias keeps.",
            "Try again, or leave a condition out; --keep-must-pass says which rows the alias keeps.",
        ),
        (
            "promote",
            "1 of 2 rows that must be placed right are. failed_rows lists the others.",
            "1 of 2 rows that must be placed right are. The table lists the others.",
        ),
        ("promote", "require.must_pass has 9 rows. Send fewer.", "--must-pass has 9 rows. Pass fewer."),
        (
            "delete",
            "Promote another classifier first, or send force=true; the alias then answers no more.",
            "Promote another classifier first, or add --force; the alias then answers no more.",
        ),
        (
            "delete",
            "It can only be purged. Send purge=true to remove it.",
            "It can only be purged. Add --purge to remove it.",
        ),
        (
            "fit",
            "A classifier named a exists, and overwrite is false. Choose another name, or send overwrite=true to add.",
            "A classifier named a exists. Choose another name, or leave out --no-overwrite to add.",
        ),
        (
            "import",
            "A classifier named a exists, and overwrite is false. Choose another name, or send overwrite=true to add.",
            "A classifier named a exists. Choose another one with --name, or add --overwrite to add.",
        ),
        ("list", "sort is unknown. Send one of name.", "--sort is unknown. Pass one of name."),
        (
            "fit",
            "num_iterations is 5000; it must lie between 0 and 200. Send a value in that range or leave it out.",
            "--num-iterations is 5000; it must lie between 0 and 200. Pass a value in that range or leave it out.",
        ),
        ("cross-validate", "folds is 50; it must be less.", "--folds is 50; it must be less."),
        ("fit", "To judge it; cross_validate=false leaves it out.", "To judge it; --no-cross-validate leaves it out."),
        (
            "cross-validate",
            "num_iterations=20: 1.000 with num_iterations=20, 0.983 with 0; chance may make such a difference.",
            "Train with --num-iterations 20: 100.0 % are placed right with 20, 98.3 % with 0; chance may make such a "
            "difference.",
        ),
        (
            "cross-validate",
            "Only the head was judged (0.983). Ask with num_iterations=20 to see more.",
            "Only the head was judged (98.3 %). Ask with --num-iterations 20 to see more.",
        ),
        ("evaluate", "2 test row(s) differ by a word or less: see rows.", "2 test row(s) differ by a word or less."),
        ("evaluate", "They are known. Leave them out: see rows.", "They are known. Leave them out."),
        ("fit", "training_data[1].label is long.", "the label is long."),
        (
            "fit",
            "Nothing was saved. Send it again to have it trained.",
            "Nothing was saved. Ask again to have it trained.",
        ),
    ],
)
def test_parameters_are_told_as_options(verb: str, message: str, told: str) -> None:
    assert in_options(message, verb) == told
    assert API_WORDS.search(told) is None


@pytest.mark.parametrize(
    "message",
    [
        "The label 'Send test_data' is known twice.",
        'The text "sort is unknown. Send it again" is long.',
        "There is no file folds/test_data.csv. Check its name.",
        "There is no classifier named top_k_v1.",
        "/srv/num_iterations/rows.csv: the rows' text isn't whole.",
    ],
)
def test_what_a_user_wrote_is_left_as_it_is(message: str) -> None:
    assert in_options(message) == message
