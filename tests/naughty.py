"""Text as nobody should type it, and somebody will: what has broken programs before, kind by kind."""

TEXTS = (
    "", " ", "\t\n", "undefined", "NULL", "None", "nan", "-0", "1/0", "0x1F", "１２３", "1e309",
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1:A9)", "\t=1", "\r=1", '=HYPERLINK("http://x","请点这里")',
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "{{ 7*7 }}", "{% raw %}",
    "%(name)s %s %d %", "{0.__class__}", "&amp;&lt;&#0;", "]]>", "<!--", "'; DROP TABLE node;--", "' OR '1'='1", "\\", "\\\\x",
    "%00", "../../../etc/passwd", "..\\..\\boot.ini", "/dev/null", "a/b", "CON", "file\r\nX-Evil: 1",
    "$(touch /tmp/x)", "`id`", "${jndi:ldap://x}", "*", "a*", "?*?", "(", ")", "((", '"', '""', '"未完', "AND OR NOT",
    "[* TO *]", "title:", "^2", "~", "病+历", "-病历",
    "zero\0byte", "\x01\x02\x7f", "\x1b[31m红", "bell\a", "\u200b", "张\u200b三", "\u202e倒过来", "\u2066隔\u2069", "\ufeff标记",
    "\ufffe\uffff", "\ud800", "半\udfff字", "𠮷野家", "\U000e0041", "👩‍⚕️👨‍👩‍👧‍👦",
    "é e\u0301", "Z\u0334\u0321\u0353a\u0334l\u0335g\u0338o",
    "مرحبا بالعالم", "שלום", "ﷺ", "Ａ＋Ｂ", "㍿", "𝒳", "İıſK", "ß", "龘靐齉", "\u3000", "、。！？", "·", "'’‘”“",
    "长" * 10_000, "a" * 10_000, "😀" * 3_000, "\n" * 3_000, "(" * 3_000, '"' * 2_001, "a " * 5_000,
)  # fmt: skip
"""The kinds of the big list of naughty strings, in our own words, and what is naughty in Chinese."""

NUMBERS = (
    "0",
    "-1",
    "1",
    "2147483648",
    "9223372036854775808",
    "1" * 400,
    "1.5",
    "1_000",
    "٣",
    "²",
    "+1",
    "0001",
)
DATES = (
    "2026-02-30",
    "0000-00-00",
    "9999-12-31",
    "0001-01-01",
    "2026-13-01",
    "20261121",
    "yesterday",
    "2026-11-21T00:00",
)
UUIDS = (
    "00000000-0000-0000-0000-000000000000",
    "not-a-uuid",
    "{2f1acc6c3a5f4e4e8e4d}",
    "2F1ACC6C3A5F4E4E8E4D2F1ACC6C3A5F",
)
VALUES = (*TEXTS, *NUMBERS, *DATES, *UUIDS)

QUERIES = (
    # brackets, quotation marks and signs that close, open or negate nothing
    "()", "(())", "（）", "(((((((((((的))))))))))))", "((((((((((的))))))))))", ")(", "-(", "-()", "-(-(-(的)))", "--的",
    "- 的", "-OR", "OR", "OR OR OR", "的 OR", "OR 的", "的 OR -的", "-的 OR -血", "-的 -血 -患", '""', '"', '"的', '的"',
    "“”", "“的”“血”", "「『的』」", '"的" OR "血"', '-"的"', "＂的＂", "''", "‘的’", "的OR血", "or", "的 or 血", "NOT 的",
    "的 AND 血", "的&&血", "的||血", "+的", "~的", "的*", "*", "?", "的^9", "/的/", "[的 TO 血]",
    # labels: unknown, empty, doubled, nested, in another kind of colon
    ":", "：", "::", "科室:", "科室：儿科", "科室:科室:儿科", "科室:(儿科 OR 产科)", "科室:(儿科", "科室:-儿科",
    "-科室:儿科", "year:", "year:(2024)", "year:-1", "year:..", "year:...", "year:2024..", "year:..2024", "year:2026..2024",
    "year:1..2..3", "year:" + "9" * 15, "year:" + "9" * 400, "年度：２０２４", "date:0000-01", "date:9999-12-31..",
    "date:2026-02-30", "date:2026-13", "date:2026年2月30日", "date:2024-05~2024-07", "text:的", "numbers:*", "pinyin:",
    "number:1", "stamp:1", "_:1", "data:{}", "mrn:00218647 OR mrn:00218647-1", "http://的", "12:30", "1:1000", "题名:" * 60,
    # as many words, characters and repetitions as may be
    "的 " * 50, "的 " * 51, "的" * 400, "的血" * 200, "患者 " * 50, "OR ".join(["的 "] * 50),
    " OR ".join("的一是在不了有和人这中大为上个国我以要他"), "-的 " * 49, '"的" ' * 50, "(的 OR 血) " * 20,
    "(" * 10 + "的" + ")" * 10, "a" * 400, "1 " * 50, "，" * 400, "、" * 399 + "的", "的，" * 200, "(的)" * 49,
    "year:2024 " * 50,
    # what folds into more, into less, into nothing
    "ﷺ" * 100, "㍿㍻㌔", "⼼⾎管", "\u200b\u200b", "的\u200b血", "葛\U000e0100", "İ" * 200, "ß" * 200, "\u3000的\u3000",
    "𠮷", "\ue123", "\U0010fffd", "\ud800的", "e\u0301" * 100, "Ａ＋Ｂ", "½", "²", "٣", "①②③", "→", "％", "℃", "－的", "−的",
    "——的",
)  # fmt: skip
"""What a search has to take: its own language, half said, overdone, turned round."""
