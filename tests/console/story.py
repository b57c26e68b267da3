"""What a person has in hand who uses the console for the first time: a spreadsheet of tickets, and rows to judge by."""

import base64
import csv
import io
from typing import Final

from playwright.sync_api import FilePayload, Locator

_TICKETS: Final = {
    "delivery": [
        ("Parcel is late", "My parcel has not arrived yet."),
        ("Where is it", "The courier says it was handed over, but nobody rang."),
        ("Wrong address", "Please send the package to my new address."),
        ("Tracking", "The tracking number of my shipment shows nothing."),
        ("Broken box", "The box came wet and crushed."),
        ("Two boxes", "Only one of two boxes was delivered."),
        ("When", "When will the driver bring my order?"),
        ("Customs", "My shipment has been waiting at customs for days."),
    ],
    "billing": [
        ("Wrong sum", "The invoice asks for more than we agreed."),
        ("Charged twice", "My credit card was charged twice this month."),
        ("Need an invoice", "Please send me the invoice for March."),
        ("Tax", "The tax on my bill is not right."),
        ("Refund", "When do I get my money back on my card?"),
        ("Bank", "The direct debit from my bank account failed."),
        ("Price", "Why did the price of my plan go up?"),
        ("Receipt", "I need a receipt for what I paid."),
    ],
    "login": [
        ("Password", "I forgot my password and cannot sign in."),
        ("Locked", "My account is locked after three attempts."),
        ("Code", "The code for two-factor login never comes."),
        ("New phone", "With my new phone I cannot log in any more."),
        ("E-mail", "I want to change the e-mail address that I sign in with."),
        ("User name", "My user name is not recognised."),
        ("Session", "I am signed out again and again."),
        ("Reset", "The link to reset my password has expired."),
    ],
    "bug": [
        ("Crash", "The app crashes when I open the map."),
        ("White page", "After the update I only see a white page."),
        ("Export", "Exporting the report ends with error 500."),
        ("Slow", "The search takes minutes since the update."),
        ("Print", "Printing cuts off the right half of the page."),
        ("Button", "The save button does nothing when I click it."),
        ("Chart", "The chart shows last year's data."),
        ("Sync", "My notes do not sync between the tablet and the laptop."),
    ],
}
TRAINING_ROWS: Final = [
    {"subject": subject, "body": body, "label": label}
    for label, tickets in _TICKETS.items()
    for subject, body in tickets
]
# Of a label that the tickets do not have: what they teach reads all of these wrong.
CORRECTED: Final = (
    "The voucher from your newsletter is not accepted.",
    "My gift card shows no balance.",
    "The coupon code gives no discount at the checkout.",
)
NEW_LABEL: Final = "voucher"
_VOUCHERS: Final = (
    "My voucher has expired too early.",
    "How do I use a gift card at the checkout?",
    "The coupon for ten percent off is refused.",
    "Can I combine two vouchers?",
)
NUM_VOUCHERS: Final = len(_VOUCHERS)
TEST_ROWS: Final = [
    *({"text": text, "label": NEW_LABEL} for text in _VOUCHERS),
    {"text": "The courier never came with my parcel.", "label": "delivery"},
    {"text": "My package went to the wrong address.", "label": "delivery"},
    {"text": "I was charged twice for one invoice.", "label": "billing"},
    {"text": "Send me the bill of last month, please.", "label": "billing"},
    {"text": "I cannot sign in with my new password.", "label": "login"},
    {"text": "My account is locked, so I cannot log in.", "label": "login"},
    {"text": "The app crashes after the update.", "label": "bug"},
    {"text": "The page stays white when I open the report.", "label": "bug"},
]
# Lets a file fall on an element, as a person does who drags it there.
_DROP: Final = """(element, [name, content]) => {
  const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  for (const kind of ["dragover", "drop"]) {
    element.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
  }
}"""


def spreadsheet(rows: list[dict[str, str]], name: str) -> FilePayload:
    """Return rows as a CSV file."""
    sink = io.StringIO()
    writer = csv.DictWriter(sink, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return {"name": name, "mimeType": "text/csv", "buffer": sink.getvalue().encode()}


def drop_file(target: Locator, file: FilePayload) -> None:
    """Let a file fall on something that is shown."""
    target.evaluate(_DROP, [file["name"], base64.b64encode(file["buffer"]).decode()])
