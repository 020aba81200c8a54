"""probe: every GET route x name x extreme value"""

import pytest, re
from urllib.parse import urlencode
from tests.blueprints.test_fuzz import *
from tests.blueprints.test_fuzz import stage
from tests.blueprints.conftest import app, browser

EX = (
    "9" * 30,
    "-" + "9" * 30,
    "9223372036854775808",
    "2147483648",
    "²",
    "٣",
    "1_0",
    "9999-12-31",
    "0001-01-01",
    "0000-00-00",
    "\0",
    "x\0y",
    "\ud800",
    "not-a-uuid",
    "a.b",
    "=",
    "'",
    "长" * 3000,
    "\u202e",
)


def test_probe(stage, caplog):
    import random

    bad = {}
    n = 0
    for rule, method in stage.rules:
        module = rule.endpoint.split(".")[0]
        named = re.findall(r"<(?:\w+:)?(\w+)>", rule.rule)
        for path in stage.parts["path"] if "path" in named else [None]:
            good = {k: (stage.parts.get(k) or ["1"])[0] for k in named}
            if path:
                good["path"] = path
            if "uuid" in named and module == "requests":
                good["uuid"] = stage.parts["uuid"][4]
            who = None
            base = "/api/v1" if module == "api" else ""
            for acc in PEOPLE:
                a = stage.ask(
                    acc,
                    method,
                    _filled(rule.rule, good, {}),
                    headers={},
                    **(
                        {"data": {"csrf_token": stage.csrf[acc]}}
                        if method == "POST" and module != "api"
                        else {}
                    ),
                )
                if a.status_code not in (403, 404, 405):
                    who = acc
                    break
            if not who:
                continue
            for nm in NAMES.get(module) or ["q"]:
                for v in EX:
                    n += 1
                    more = {"headers": {}}
                    addr = _filled(rule.rule, good, {})
                    if method == "POST" and module == "api":
                        more |= {
                            "data": json.dumps(
                                {
                                    **{
                                        k: x
                                        for k, x in stage.valid.items()
                                        if k in ("kind", "node", "purpose", "days")
                                    },
                                    nm: v,
                                }
                            ),
                            "content_type": "application/json",
                        }
                    elif method == "POST":
                        base = stage.valid if module in ("tree", "requests") else {}
                        more |= {
                            "data": urlencode(
                                {**base, nm: v, "csrf_token": stage.csrf[who]}, errors="surrogatepass"
                            ),
                            "content_type": "application/x-www-form-urlencoded",
                        }
                    else:
                        addr = _filled(rule.rule, good, {nm: v})
                    caplog.clear()
                    a = stage.ask(who, method, addr, **more)
                    if a.status_code >= 500:
                        k = (rule.rule, method, nm)
                        if k not in bad:
                            bad[k] = (v[:20], who, caplog.text[-900:])
                            print("BAD", k, repr(v[:20]), caplog.text[-900:].splitlines()[-4:])
    print(n, "asked")
    assert not bad


from tests.blueprints.test_fuzz import _filled
