"""Which encoding is proposed for text that is not UTF-8."""

# ruff: noqa: RUF001 - letters and signs of all scripts are what this is about

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.files.encoding_guess import guess_encoding

GERMAN = "text;label\nRückgabe der Ware nicht möglich;Retoure\nGerät läuft nicht für 20 €;Technik\n"
SHORT = "text;label\nThe invoice;billing\nFür mich bitte;Anfrage\n"
FRENCH = "texte;label\nJe n’ai pas reçu ma commande à temps;livraison\nÇa ne marche pas;technique\n"
SPANISH = "texto,tema\n¿Dónde está mi pedido?,envío\nQuiero una devolución mañana,pago\n"
POLISH = "text;label\nNie działa płatność kartą;płatności\nZgubiłem hasło żółty;konto\n"
CZECH = "text;label\nPříliš žluťoučký kůň;zvířata\nZapomněl jsem heslo, prosím;účet\n"
TURKISH = "metin;etiket\nÖdeme çalışmıyor, şifremi unuttum;ödeme\nİade etmek istiyorum, ağır;iade\n"
RUSSIAN = "text;label\nНе работает оплата картой;оплата\nЯ забыл пароль;аккаунт\n"
GREEK = "text;label\nΗ πληρωμή δεν λειτουργεί;πληρωμή\nΞέχασα τον κωδικό;λογαριασμός\n"
HEBREW = "text;label\nהתשלום לא עובד;תשלום\nשכחתי את הסיסמה;חשבון\n"
JAPANESE = "text,label\n支払いができません,請求\nパスワードを忘れました,アカウント\n"
KOREAN = "text,label\n결제가 되지 않아요,결제\n비밀번호를 잊었어요,계정\n"
SIMPLIFIED = "text,label\n我无法付款,账单\n我忘记了密码,账户\n"
TRADITIONAL = "text,label\n我無法付款,帳單\n我忘記了密碼,帳戶\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"),
        (SHORT, "cp1252"),
        (FRENCH, "cp1252"),
        (SPANISH, "cp1252"),
        (GERMAN.replace("€", "EUR"), "mac-roman"),
        (GERMAN.replace("€", "EUR"), "cp850"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859-2"),
        (CZECH, "cp1250"),
        (TURKISH, "cp1254"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (GREEK, "cp1253"),
        (HEBREW, "cp1255"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (KOREAN, "euc_kr"),
        (SIMPLIFIED, "gb18030"),
        (TRADITIONAL, "big5"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
    ],
)
def test_short_texts_are_told_by_their_characters(text: str, encoding: str) -> None:
    content = text.encode(encoding)
    assert guess_encoding(content) == encoding
    assert guess_encoding(content * 50) == encoding


def test_latin_1_is_told_as_the_code_page_that_holds_it() -> None:
    assert guess_encoding(FRENCH.replace("’", "'").encode("latin-1")) == "cp1252"


def test_of_what_is_no_text_nothing_is_told() -> None:
    assert guess_encoding(bytes(range(128, 256)) * 20) is None


def test_a_line_that_breaks_off_within_a_character_is_told_all_the_same() -> None:
    assert guess_encoding(JAPANESE.encode("shift_jis")[:-2][:-5]) == "shift_jis"


@given(st.binary(max_size=300))
def test_any_bytes_are_looked_at_without_an_error(content: bytes) -> None:
    encoding = guess_encoding(content)
    assert encoding is None or content.decode(encoding, "replace") is not None
