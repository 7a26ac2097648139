#!/usr/bin/python3
"""Writes LivePageText.swift from LivePage.html: the page as one literal, with the hashes that its policy names.

embed-page.py           writes the file
embed-page.py --check   exits with 1 when it is not what the page would give
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "Sources/ProxyServer/Admin"


def digest(page: str, element: str) -> str:
    """What CSP Level 3 calls the hash source of the one inline element of this name."""
    found = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
    if len(found) != 1:
        raise SystemExit(f"LivePage.html: expected one <{element}>, found {len(found)}")
    return "sha256-" + base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()


def swift(page: str) -> str:
    if '"""##' in page or "\\##(" in page:
        raise SystemExit('LivePage.html: it holds what would end a literal of Swift')
    body = "\n".join(f"        {line}" if line else "" for line in page.splitlines())
    return f'''// Made by Scripts/embed-page.py from LivePage.html; change that, and run the script.

/// The page before it is filled in, and the hashes of its own style and script (CSP Level 3 §2.3.1).
enum LivePageText {{
    static let styleHash = "{digest(page, "style")}"
    static let scriptHash = "{digest(page, "script")}"
    // swift-format-ignore
    static let template = ##"""
{body}
        """##
}}
'''


def main() -> int:
    made = swift((FOLDER / "LivePage.html").read_text(encoding="utf-8"))
    kept = FOLDER / "LivePageText.swift"
    if "--check" not in sys.argv[1:]:
        kept.write_text(made, encoding="utf-8")
        return 0
    if kept.exists() and kept.read_text(encoding="utf-8") == made:
        return 0
    print("LivePageText.swift is not what LivePage.html gives: run Scripts/embed-page.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
