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
    "claim.taken": ("This expert has an account already.", "这位专家已有账户，不能再认领。"),
    "claim.other": (
        "One account is one expert. Withdraw the other claim, or give up the other expert, first.",
        "一个账户只能对应一位专家。请先撤回另一个认领，或解除已认领的专家。",
    ),
    "claim.state": ("This claim is {state} already.", "这个认领已是“{state}”状态。"),
    "claim.work": ("The work with the DOI {found} is there already.", "DOI 为 {found} 的业绩已在列。"),
    "booking.times": (
        "Choose a time to come, on the half hour, of at most {days} days and at most {ahead} days ahead; the end lies "
        "after the beginning.",
        "请选择将来的时段：起止为整点或半点，结束晚于开始，最长 {days} 天，最多提前 {ahead} 天。",
    ),
    "booking.clock": (
        "The clock is changed around {found}. Choose another time.",
        "{found} 前后时钟会调整，请另选时间。",
    ),
    "booking.taken": ("This time is taken. Choose another.", "这一时段已被占用，请另选时段。"),
    "booking.many": (
        "{most} of your requests for this facility wait for an answer. Cancel one first.",
        "您对该设施已有 {most} 个待确认的申请，请先取消不需要的申请。",
    ),
    "booking.state": (
        "This cannot be done any more: the booking is {state}, or its time has begun.",
        "无法执行：预约为“{state}”，或已到开始时间。",
    ),
    # ── import and export ──
    "web.text_long": (
        "more than {limit} characters. Shorten it.",
        "超过 {limit} 个字符。请缩短。",
    ),
    "web.text_nul": (
        "holds a character that no text may hold (NUL). Type it anew.",
        "含有文本中不允许的空字符（NUL）。请重新输入。",
    ),
    "web.text_turned": (
        "holds an invisible sign that turns the direction of the text, so that it shows as another. Type it anew.",
        "含有改变文字方向的不可见字符，显示会与实际不符。请重新输入。",
    ),
    "web.import_code": (
        "is the code of another organisation as well: the id behind the equals sign, where you may see it. If the two "
        "are one, give the row that id; if not, take the row as it is.",
        "这个统一社会信用代码另有单位使用，等号后为其编号（您看不到的不列）。若是同一单位，请改用该编号；若不是，可照常导入。",
    ),
    "web.import_merged": (
        "was merged into the record whose id stands behind the arrow. Use that id.",
        "这条记录已并入另一条记录，箭头后是其编号。请改用该编号。",
    ),
    "web.import_empty": (
        "{file} holds no row that can be told: {seen}. Fill in a table whose heading has the names of the columns, "
        "or say which table it is.",
        "{file} 中没有可识别的行：{seen}。请填写表头为栏目名称的表，或在导入时选明内容。",
    ),
    "web.import_stopped": (
        "{file} stopped the worker {count} times while it was read. It is too large for this machine, or damaged: "
        "bring it in parts.",
        "处理 {file} 时后台任务中断了 {count} 次：文件对本机过大，或已损坏。请拆成几份再导入。",
    ),
    "web.import_failed": (
        "{file} could not be worked through ({found}). Nothing is half-written; try again, or tell the administrator.",
        "未能处理完 {file}（{found}）。没有写入一半的记录；请重试，或联系管理员。",
    ),
    "web.undo_moved": (
        "{count} of its records have changed since, so nothing was undone. Look at them below; then undo the others, "
        "or none.",
        "其中 {count} 条记录在导入之后又被修改，因此尚未撤销任何记录。请查看下列记录，再决定是否撤销其余记录。",
    ),
    "web.zip_unsafe": (
        "{file} holds {found}, which leads out of the archive or is locked. Pack the tables themselves.",
        "{file} 中的 {found} 指向压缩包之外或已加密。请只打包数据表本身。",
    ),
    "web.zip_large": (
        "{file} would unpack to more than {limit}. Bring the tables one by one.",
        "{file} 解压后超过 {limit}。请逐个导入其中的表。",
    ),
    "web.zip_broken": (
        "{file} is no zip archive, or is damaged. Pack it anew.",
        "{file} 不是 zip 压缩包，或已损坏。请重新打包。",
    ),
    "web.sheet_small": (
        "{sheet} has more than {limit} rows, the most that a sheet of Excel holds. Choose CSV or Parquet.",
        "{sheet} 超过 {limit} 行，Excel 工作表容纳不下。请改用 CSV 或 Parquet，或缩小范围。",
    ),
    "web.cell_small": (
        "A text in row {row} of {sheet} has more than {limit} characters, the most that a cell of Excel holds. "
        "Choose CSV or Parquet.",
        "{sheet} 第 {row} 行有超过 {limit} 个字符的文本，Excel 单元格容纳不下。请改用 CSV 或 Parquet。",
    ),
    "web.export_failed": (
        "The file could not be made ({found}). Try another form, or fewer rows.",
        "未能生成文件（{found}）。请换一种格式，或缩小范围后重试。",
    ),
    # ── start and stop ──
    "web.port": (
        "Nothing can listen on {found}: {why}. Choose another address with --bind, or end what listens there.",
        "无法在 {found} 上监听：{why}。请用 --bind 换一个地址，或结束占用它的程序。",
    ),
    "web.folder": (
        "SILIAN_HOME {found} cannot be written: {why}. Make it writable, or set SILIAN_HOME to another folder.",
        "SILIAN_HOME {found} 无法写入：{why}。请修改权限，或将 SILIAN_HOME 设为其他文件夹。",
    ),
    "web.dies": (
        "The {found} ended {count} times within a minute; the site stops. Its own message stands above.",
        "{found} 在一分钟内结束了 {count} 次，网站停止运行。原因见上方信息。",
    ),
    # ── search, duplicates, merges ──
    "web.merge_changed": (
        "Something that the merge would change has been changed since you saw it. Look at it again.",
        "预览之后，有关记录又有变动，未合并。请重新核对。",
    ),
    "web.merge_gone": (
        "{found} is no longer there: it may have been merged or deleted. Look for it in the list.",
        "{found} 已不存在，可能已被合并或删除。请在列表中查找。",
    ),
    "web.merge_claimed": (
        "Each of the two experts is claimed by an account of its own, and one expert cannot be two people. If they are "
        "one person, ask for one of the two claims to be given up on the page of claims, then merge.",
        "这两位专家分别由两个账户认领，合并后一位专家不能属于两个人。若确为同一人，"
        "请其先在“专家认领”页用其中一个账户解除认领，再合并。",
    ),
    "web.searches_full": (
        "You keep {most} searches already, and no more can be kept. Delete one first.",
        "最多保存 {most} 个检索。请先删除一个。",
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
    # ── snapshots ──
    "snapshot.changed": (
        "The snapshot is not as it was frozen: {found} was changed or is gone. Put the folder of snapshots back from a "
        "backup, or freeze the month again; the page shows no figure that it cannot answer for.",
        "快照与冻结时不一致：{found} 被改动或丢失。请从备份恢复快照目录，或重新冻结该月；无法核对的数字不予显示。",
    ),
    "snapshot.future": (
        "{found} has not begun: choose this month or one before it.",
        "{found} 还没有开始，请选择本月或更早的月份。",
    ),
}
