"""Makes the catalogue for Hong Kong out of the mainland's: characters by OpenCC, then words.

Run by ``make messages``. A translation that needs more than other words is written in ``WHOLE``.
Texts of carrier profiles that have no traditional form of their own get one in the same catalogue,
under their simplified text: so a profile stays one file, written by hand.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po, write_po
from opencc import OpenCC

ROOT = Path(__file__).parents[1]
PROFILES = ROOT / "profiles"
LOCALE = ROOT / "src" / "simdiag" / "locale"
SOURCE, RESULT = (LOCALE / name / "LC_MESSAGES" / "simdiag.po" for name in ("zh_CN", "zh_HK"))

WORDS = {
    # characters that it leaves or mistakes (hair, a measure word)
    "户": "戶", "説": "說", "啓": "啟", "爲": "為", "僞": "偽", "賬": "帳", "枱": "台",
    "兑": "兌", "閲": "閱", "隻": "只", "髮": "發",
    # words
    "計算機": "電腦", "設備": "裝置", "程序": "程式", "端口": "連接埠", "調制解調器": "數據機",
    "上網棒": "USB 上網手指", "隨身 WiFi": "便攜 WiFi", "運營商": "電訊商", "運營企業": "電訊商",
    "激活": "啟用", "信號": "訊號", "短信": "短訊", "充值": "增值", "套餐": "計劃",
    "命令": "指令", "文件夾": "資料夾", "文件": "檔案", "登錄": "登入", "默認": "預設",
    "屏幕": "螢幕", "鏡像": "映像檔", "字節": "位元組", "後台": "背景", "前台": "前景",
    "磁盤": "磁碟", "打印": "列印", "符號鏈接": "符號連結", "鏈接": "連結", "串口": "序列埠",
    "營業廳": "門市", "數據線": "傳輸線", "筆記本": "手提電腦", "廠家": "廠商", "應答": "回應",
    "支持": "支援", "信息": "資訊", "消息": "訊息", "接口": "介面", "停機": "暫停服務",
    "欠費": "欠款", "客服": "客戶服務", "工單": "個案", "電子郵件": "電郵", "郵件": "電郵",
    "進程": "處理程序", "服務器": "伺服器", "流量": "數據用量", "憑據": "憑證", "菜單": "選單",
    "光標": "游標", "硬盤": "硬碟", "內存": "記憶體", "緩存": "快取", "插槽": "卡槽",
    "賬號": "帳號", "帳户": "帳戶", "模塊": "模組", "流量卡": "數據卡", "訪問": "存取",
    "門店": "門市",
    # a name
    "工業和信息化部": "工業和信息化部",
}  # fmt: skip
"""What Hong Kong says otherwise; applied to the traditional characters, the longest first."""
_ANY = re.compile("|".join(sorted(WORDS, key=len, reverse=True)))

WHOLE = {
    "en": "zh-HK",
}
"""Translations by their English text, where words alone do not do."""


def traditional(text: str, converter: OpenCC) -> str:
    """Return a simplified text as Hong Kong writes it."""
    return _ANY.sub(lambda found: WORDS[found[0]], converter.convert(text))


def of_profiles() -> Iterator[str]:
    """Yield the simplified texts of the profiles that have no traditional one beside them."""
    for path in sorted(PROFILES.glob("*.toml")):
        yield from simplified_only(tomllib.loads(path.read_text("utf-8")))


def simplified_only(value: Any) -> Iterator[str]:
    """Yield such texts, wherever they are in a table; a text is a table of languages."""
    if isinstance(value, dict) and {"en", "zh-CN"} <= value.keys():
        if "zh-HK" not in value:
            yield value["zh-CN"]
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from simplified_only(inner)


def main() -> None:
    """Write the catalogue anew."""
    converter = OpenCC("s2hk")
    with SOURCE.open("rb") as file:
        catalogue = read_po(file, locale="zh_CN")
    for message in catalogue:
        if not message.id:
            continue
        if isinstance(message.string, tuple | list):
            message.string = tuple(traditional(text, converter) for text in message.string)
        else:
            whole = WHOLE.get(str(message.id))
            message.string = whole or traditional(message.string, converter)
    for text in sorted({*of_profiles()} - {str(message.id) for message in catalogue}):
        catalogue.add(text, traditional(text, converter))
    catalogue.locale = catalogue.language_team = "zh_HK"
    catalogue.header_comment = traditional(catalogue.header_comment, converter)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    with RESULT.open("wb") as file:
        write_po(file, catalogue, width=100, omit_header=False, include_previous=False)


if __name__ == "__main__":
    main()
