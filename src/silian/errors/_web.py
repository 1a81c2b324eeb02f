"""Wording of errors of the site."""

from typing import Final

MESSAGES: Final[dict[str, tuple[str, str]]] = {
    # ── settings ──
    "web.setting": (
        "{name} is {found!r}; wanted: {wanted}. Set it in the environment and start again.",
        "{name} 的值为 {found!r}，应为：{wanted}。请修改环境变量后重新启动。",
    ),
    "web.unsafe": (
        "The site does not start in production: {found}. Set these in the environment; "
        "docs/how-to/run-the-site.md says how.",
        "生产模式下拒绝启动：{found}。请按 docs/zh/how-to/run-the-site.md 设置环境变量。",
    ),
    # ── people and trust ──
    "web.chain": (
        "The log is not as it was sealed: {finding} at entry {number}. Keep the database as it is, compare it with the "
        "last export of the log, and tell whoever answers for data security.",
        "日志与封存时不一致：第 {number} 条，{finding}。请保留数据库原状，"
        "与最近一次导出的日志核对，并报告数据安全负责人。",
    ),
    "web.invitation": (
        "The invitation is {state}: it opens nothing any more. Ask whoever invited you for a new one.",
        "这份邀请{state_zh}，不能再用。请向邀请您的人再要一份。",
    ),
    "web.last_administrator": (
        "This is the last administrator of {name}. Appoint another one first.",
        "这是{name}的最后一位管理员。请先指定另一位，再作改动。",
    ),
    # ── registry ──
    "web.undone": ("These changes have already been put back.", "这组变更已经撤销过了。"),
    "web.restore": (
        "This cannot be put back: {found} is missing, or is needed by what was made since. Put that right first.",
        "无法恢复：{found} 已不存在，或仍被后来的记录引用。请先处理它。",
    ),
    # ── import and export ──
    # ── search, duplicates, merges ──
}
