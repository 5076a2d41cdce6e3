"""Languages as people write them, each reduced to the code that recognition knows.

Source: DashScope HTTP reference §4.1 (languages of recognition); ISO 639; CLDR (their own names).
"""

from protocol.errors import BadInput

_ROWS = """
zh chinese zho chi cmn mandarin 中文 汉语 漢語 普通话 普通話 国语 國語 简体中文 繁體中文
yue cantonese 粤语 粵語 广东话 廣東話
en english eng
ja japanese jpn 日本語 日语 日語
de german deu ger deutsch 德语
ko korean kor 한국어 韩语 韓語
ru russian rus русский 俄语
fr french fra fre français francais 法语
pt portuguese por português portugues 葡萄牙语
ar arabic ara العربية 阿拉伯语
it italian ita italiano 意大利语
es spanish spa español espanol castilian 西班牙语
hi hindi hin हिन्दी 印地语
id indonesian ind 印尼语
th thai tha ไทย 泰语
tr turkish tur türkçe turkce 土耳其语
uk ukrainian ukr українська 乌克兰语
vi vietnamese vie 越南语
cs czech ces cze čeština 捷克语
da danish dan dansk 丹麦语
fil filipino tagalog tl 菲律宾语
fi finnish fin suomi 芬兰语
is icelandic isl ice íslenska 冰岛语
ms malay msa may 马来语
no norwegian nor nb nn nob nno norsk 挪威语
pl polish pol polski 波兰语
sv swedish swe svenska 瑞典语
"""
_TABLE = [row.split() for row in _ROWS.split("\n") if row]
_CODES = {word: code for code, *names in _TABLE for word in (code, *names)}
_NAMES = {code: name for code, name, *_ in _TABLE}
_ANY = ("auto", "automatic", "detect", "none", "null")
_CANTONESE = ("zh-yue", "zh-hk", "zh-mo")


def code_of(language: str, *, param: str = "language") -> str:
    """Return the code of a language written as a code, a locale or a name; "" when it shall be detected.

    Raises: BadInput for one that cannot be recognised.
    """
    word = language.strip().lower().replace("_", "-").partition(".")[0]
    if word in _ANY or not word:
        return ""
    if word in _CANTONESE:
        return "yue"
    if code := _CODES.get(word) or _CODES.get(word.partition("-")[0]):
        return code
    raise BadInput(
        f"The language {language[:40]!r} is not supported. Supported: {', '.join(_NAMES)}.",
        code="unsupported_value",
        param=param,
    )


def name_of(code: str) -> str:
    """Return a language's English name in small letters, as verbose transcriptions tell it; "" stays ""."""
    return _NAMES.get(code, code)
