"""Files as fastText takes them, and what is in them."""

from tests.files.formats.reading import Sample

ONE = """__label__billing I was charged twice , please refund
__label__technical the app crashes
"""
SEVERAL = """__label__sauce __label__cheese How much does potato starch affect a cheese sauce ?
__label__food-safety Dangerous pathogens ?
Nobody has labelled this one
"""
WINDOWS = "__label__5\tGreat place\r\n\r\n__label__2\r\n__label__1\tNever again __label__rude , never\r\n"

SAMPLES = {
    "fasttext": (
        Sample(
            "one label each",
            "tickets.train",
            ONE.encode(),
            [("I was charged twice , please refund", ("billing",)), ("the app crashes", ("technical",))],
        ),
        Sample(
            "several labels, and a text without any",
            "cooking.txt",
            SEVERAL.encode(),
            [
                ("How much does potato starch affect a cheese sauce ?", ("sauce", "cheese")),
                ("Dangerous pathogens ?", ("food-safety",)),
                ("Nobody has labelled this one", None),
            ],
        ),
        Sample(
            "from Windows, with tabs, a label within a text and a line without a text",
            "reviews.txt",
            WINDOWS.encode(),
            [("Great place", ("5",)), ("Never again , never", ("1", "rude"))],
            num_left_out=1,
        ),
    )
}
