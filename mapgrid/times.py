"""The clock the rules read: days begin at midnight in Shanghai, whatever the machine's own zone is."""

from __future__ import annotations

from zoneinfo import ZoneInfo

LOCAL_TIME = ZoneInfo("Asia/Shanghai")
