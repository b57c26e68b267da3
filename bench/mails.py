"""Made-up e-mails to a shop's help desk, as they arrive: greeting, a sentence or two that matter, signature, history.

What a mail is about is said in a sentence or two of it; the rest (greetings, courtesies, legal notices, quoted mails,
HTML) is drawn for every label alike. The sentences of training and test mails come from the same templates, as those of
forms and auto-responders do.
"""

import random

Rows = list[dict[str, str]]

# The share of each label: what people write most about is ten times as frequent as the rarest.
SHARES = {"delivery": 0.34, "refund": 0.24, "invoice": 0.17, "login": 0.13, "warranty": 0.08, "cancellation": 0.04}

_ITEMS = ("desk lamp", "kettle", "office chair", "rain jacket", "headphones", "book shelf", "coffee grinder", "tent")
_NAMES = ("Anna Berg", "Tom Hale", "Priya Nair", "Luis Ortega", "Mei Lin", "Jonas Weber", "Sara Costa", "Ed Novak")
_FIRMS = ("Berg & Sons", "Hale Studio", "Northwind Logistics", "Costa Interiors", "Novak Consulting", "Lin Design")
_CITIES = ("Leeds", "Porto", "Graz", "Ghent", "Malmo", "Tallinn", "Bristol", "Utrecht")

_MATTERS = {
    "delivery": (
        "The parcel with the {item} has not arrived, although tracking says that it was delivered on {day}.",
        "Order {number} was shipped {days} days ago and the carrier shows no movement since.",
        "Could you tell me when the {item} from order {number} will be delivered?",
        "The driver left the box with the {item} at a neighbour whom I do not know.",
        "I gave the wrong street for order {number}, can the parcel still be redirected?",
    ),
    "refund": (
        "I sent the {item} back on {day} and the money is still not on my account.",
        "Please refund order {number}, the {item} was returned {days} days ago.",
        "The amount that you paid back for the {item} is {amount} short.",
        "Your colleague promised to return {amount} for order {number}, nothing has come yet.",
    ),
    "invoice": (
        "I need an invoice for order {number} with our VAT number on it.",
        "The bill for the {item} shows the old company address, please issue a corrected one.",
        "Our accounting cannot book order {number} since the invoice lacks the tax rate.",
        "Please send the receipt over {amount} for the {item} as a PDF.",
    ),
    "login": (
        "I cannot sign in any more, the code that you send by SMS never arrives.",
        "The link to reset my password says that it has expired, {days} times in a row.",
        "My account is locked after too many attempts, please unlock it.",
        "I changed my phone and the second factor for my account is gone.",
    ),
    "warranty": (
        "The {item} stopped working after {days} days, is that covered by the guarantee?",
        "A part of the {item} broke under normal use, how do I claim the warranty?",
        "The {item} makes a grinding noise, I would like it repaired or replaced.",
    ),
    "cancellation": (
        "Please cancel order {number}, the {item} is not needed any more.",
        "I ordered the {item} twice by mistake, please stop the second order before it ships.",
        "I withdraw from the purchase of the {item} made on {day}.",
    ),
}
_OPENINGS = (
    "Hello,\n\nI hope this mail finds you well.",
    "Dear customer service team,\n\nI am writing to you for the second time in this matter.",
    "Hi there,\n\nI have been a customer of yours for {days} years and was always satisfied.",
    "Good morning,\n\nI tried to reach you by phone and waited for {days} minutes.",
    "To whom it may concern,\n\nplease forgive me for getting in touch in this way.",
)
_COURTESIES = (
    "Please get back to me as soon as you can, I am at my desk until five.",
    "If you need anything else from me, a short reply to this mail is enough.",
    "Thank you very much in advance for your help and your patience.",
    "I would be glad to hear from you before {day}, since I am travelling afterwards.",
    "My order confirmation is attached, with the number {number} and the sum of {amount}.",
)
_SIGNATURES = (
    "Kind regards\n{name}\n\n-- \n{name} | {firm}\n12 Mill Lane, {city}\nT +44 20 5550 {digits}",
    "Best,\n{name}\n\nSent from my phone",
    "Yours sincerely\n\n{name}\nHead of Purchasing, {firm}, {city}\nwww.example.com | office@example.com",
    "Thanks!\n{name}\n\n{firm} - This message may hold confidential information. If you are not the intended "
    "recipient, please delete it and tell the sender.",
)
_HISTORY = (
    "\n\nOn {day}, Customer Service <service@example.com> wrote:\n> Dear {name},\n> thank you for your message. We "
    "have received it under number {number} and will answer within two working days.\n> Your service team",
    "\n\n-----Original Message-----\nFrom: service@example.com\nSent: {day}\nSubject: Your order {number}\n\nThank you "
    "for shopping with us. You ordered: 1 x {item}, {amount}.",
    "",
    "",
)
_SUBJECTS = ("Order {number}", "Re: your message", "Question", "Urgent", "AW: order {number}", "Customer {digits}")
_DAYS = ("Monday", "Tuesday", "2 March", "14 May", "last Friday", "3 October", "the 21st")


def mails(rows: int, seed: int = 0) -> Rows:
    """Return made-up mails of 60 to 120 words with subject and body, in six unbalanced labels.

    Args:
        rows: Their number; each label has at least 3.
        seed: Of every choice.
    """
    chance = random.Random(seed)
    counts = {label: max(3, round(rows * share)) for label, share in SHARES.items()}
    counts["delivery"] += rows - sum(counts.values())
    made = [{"text": _mail(label, chance), "label": label} for label, count in counts.items() for _ in range(count)]
    chance.shuffle(made)
    return made


def _mail(label: str, chance: random.Random) -> str:
    facts = {
        "item": chance.choice(_ITEMS),
        "name": chance.choice(_NAMES),
        "firm": chance.choice(_FIRMS),
        "city": chance.choice(_CITIES),
        "day": chance.choice(_DAYS),
        "days": chance.randint(2, 30),
        "number": f"{chance.randint(10_000, 99_999)}",
        "amount": f"{chance.randint(5, 300)}.{chance.randint(0, 99):02} EUR",
        "digits": f"{chance.randint(1_000, 9_999)}",
    }
    matter = chance.choice(_MATTERS[label])
    courtesies = chance.sample(_COURTESIES, chance.randint(1, 2))
    parts = [chance.choice(_OPENINGS), matter, *courtesies, chance.choice(_SIGNATURES)]
    history = chance.choice(_HISTORY)
    while len(" ".join(parts).split()) < 60:
        history = history or _HISTORY[0]
        parts.insert(-1, chance.choice([courtesy for courtesy in _COURTESIES if courtesy not in parts]))
    body = "\n\n".join([parts[0], " ".join(parts[1:-1]), parts[-1]]) + history
    text = f"Subject: {chance.choice(_SUBJECTS)}\n\n{body}".format(**facts)
    if chance.random() < 0.3:
        paragraphs = "".join(f"<p>{part}</p>" for part in text.split("\n\n")[1:])
        text = f"{text.partition(chr(10))[0]}\n\n<html><body>{paragraphs}</body></html>".replace("\n>", "<br>&gt;")
    return " ".join(text.split(" ")[:140])
