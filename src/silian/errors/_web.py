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
    "attachment.type": (
        "Files of the type {found} are not taken. Bring PDF, PNG, JPEG, WebP, docx, xlsx, pptx, txt or csv.",
        "不接受 {found} 类型的文件。请上传 PDF、PNG、JPEG、WebP、docx、xlsx、pptx、txt 或 csv。",
    ),
    "attachment.disguised": (
        "The name of {name} and what is in it do not agree (found: {found}). Save it again in the type it is.",
        "“{name}”的扩展名与内容不一致（实际为 {found}）。请按实际类型另存后再上传。",
    ),
    "attachment.broken": (
        "{name} cannot be read whole: it is damaged or encrypted. Open it, save it without a password, and try again.",
        "“{name}”无法完整读取，可能已损坏或加密。请打开后另存为不加密的文件再上传。",
    ),
    "attachment.bomb": (
        "{name} unpacks to far more than it is. Save it again, or in parts.",
        "“{name}”解压后过大。请另存或拆分后再上传。",
    ),
    "attachment.active": (
        "{name} holds macros or other parts that run or are fetched when it opens. Save it without them.",
        "“{name}”含有宏，或打开时会运行、会从网络取用的内容。请去除后再上传。",
    ),
    "attachment.text": (
        "{name} is not plain text in UTF-8. Save it as UTF-8.",
        "“{name}”不是 UTF-8 纯文本。请另存为 UTF-8 编码。",
    ),
    "attachment.size": (
        "{name} is larger than {most}. Make it smaller or divide it.",
        "“{name}”超过 {most}。请压缩或拆分后再上传。",
    ),
    "attachment.full": (
        "The files of this record would come to more than {most} together. Take away what is no longer needed.",
        "这条记录的附件合计将超过 {most}。请先移除不再需要的附件。",
    ),
    "attachment.empty": ("{name} is empty.", "“{name}”是空文件。"),
    # ── import and export ──
    # ── search, duplicates, merges ──
    "web.merge_changed": (
        "Something that the merge would change has been changed since you saw it. Look at it again.",
        "预览之后，有关记录又有变动，未合并。请重新核对。",
    ),
    "web.merge_gone": (
        "{found} is no longer there: it may have been merged or deleted. Look for it in the list.",
        "{found} 已不存在，可能已被合并或删除。请在列表中查找。",
    ),
    "web.index_missing": (
        "There is no search index yet. The keeper builds it: wait a minute, or run python -m silian.web reindex.",
        "检索索引尚未建立，后台正在建立，请稍候；也可运行 python -m silian.web reindex。",
    ),
    "web.index_old": (
        "The search index was made for other columns or another database. The keeper builds it anew: wait a minute, "
        "or run python -m silian.web reindex.",
        "检索索引与当前的字段或数据库不符，后台正在重建，请稍候；也可运行 python -m silian.web reindex。",
    ),
    "web.index_broken": (
        "The search index cannot be read: {found}. The keeper builds it anew: wait a minute, or run "
        "python -m silian.web reindex.",
        "检索索引无法读取（{found}），后台正在重建，请稍候；也可运行 python -m silian.web reindex。",
    ),
    "web.index_busy": (
        "Another process writes the search index. It ends by itself; try again.",
        "另一个进程正在写入检索索引，请稍后再试。",
    ),
}
