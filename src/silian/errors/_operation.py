"""Wording of errors of backup and restore."""

from typing import Final

MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "backup.tools": (
        "{found} is missing, or older than the server ({server}). Install the client of PostgreSQL: "
        "apt-get install postgresql-client, or put its folder into PATH.",
        "缺少 {found}，或其版本低于服务器（{server}）。请安装 PostgreSQL 客户端：apt-get install postgresql-client，"
        "或将其目录加入 PATH。",
    ),
    "backup.failed": (
        "{found} Nothing was changed; put that right and try again.",
        "{found} 没有改动任何内容，请处理后重试。",
    ),
    "backup.space": (
        "{where} has {free} left, and {wanted} are needed. Make room, or write elsewhere.",
        "{where} 剩余 {free}，需要 {wanted}。请腾出空间，或换一个位置。",
    ),
    "backup.busy": (
        "Another backup or restore is under way. Wait until it ends.",
        "另一个备份或恢复正在进行，请等它结束。",
    ),
    "backup.database": (
        "The database is damaged: {found}. Keep it as it is, and restore the last backup that passes --check.",
        "数据库已损坏：{found}。请保留原状，并恢复最近一个通过 --check 的备份。",
    ),
    "backup.broken": (
        "{file} is no whole backup: {found}. Take another one.",
        "{file} 不是完整的备份：{found}。请换一个备份。",
    ),
    "backup.hostile": (
        "{file} holds {found}, which no backup holds: it was made by something else. Nothing was unpacked.",
        "{file} 中有 {found}，不是备份应有的内容，来源可疑。没有解开任何文件。",
    ),
    "backup.changed": (
        "{found} in {file} is not as it was when the backup was made. Take another backup.",
        "{file} 中的 {found} 与备份时不一致。请换一个备份。",
    ),
    "backup.signature": (
        "{file} names the key of this site, but is not signed with it: somebody has changed it. Take another backup.",
        "{file} 声称出自本站，但签名不符，已被改动。请换一个备份。",
    ),
    "backup.newer": (
        "{file} was made by a newer version ({found}); this is {own}. Install that version first.",
        "{file} 由更新的版本（{found}）生成，当前为 {own}。请先升级程序。",
    ),
    "backup.engine": (
        "{file} holds a PostgreSQL database; this site is set to {own}. Set DATABASE_URL to a PostgreSQL database. "
        "A backup of SQLite can be restored into either.",
        "{file} 是 PostgreSQL 数据库的备份，本站设置为 {own}。请将 DATABASE_URL 设为 PostgreSQL 数据库；"
        "SQLite 的备份两种数据库都能恢复。",
    ),
    "backup.full": (
        "This site holds data already ({found}). Restore with --replace: what is there is put aside, and --undo brings "
        "it back.",
        "本站已有数据（{found}）。请加 --replace 恢复：现有数据会移到一旁，可用 --undo 换回。",
    ),
    "backup.running": (
        "The site is running ({found}). Stop it first: systemctl stop silian.",
        "网站正在运行（{found}）。请先停止：systemctl stop silian。",
    ),
    "backup.differs": (
        "What was restored differs from the backup: {found}. The site is as it was before.",
        "恢复的内容与备份不一致：{found}。网站保持恢复前的状态。",
    ),
    "backup.nothing": (
        "There is nothing that was put aside.",
        "没有移到一旁的数据。",
    ),
}
