"""Wording of errors of runs that are started on the site."""

from typing import Final

MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "web.run_path": (
        "{name} names a file or folder ({found}). On the site a plan may not: run such a plan from the command line.",
        "{name} 指向文件或文件夹（{found}）。网站上的方案不能引用文件，此类方案请用命令行运行。",
    ),
    "web.run_long": (
        "The plan has {found:,} characters, {most:,} at most. State only the settings that differ from the default.",
        "方案有 {found:,} 个字符，最多 {most:,} 个。只写与默认值不同的设置即可。",
    ),
    "web.run_empty": (
        "{place} has no published needs, experts or achievements to work on. Publish or import some first.",
        "{place}还没有可供运行的已发布需求、专家或成果。请先发布或导入。",
    ),
    "web.run_many": (
        "{count} runs of {place} wait already. Let them end, or cancel some.",
        "{place}已有 {count} 个运行在排队。请等其结束，或取消一些。",
    ),
    "web.run_fell": (
        "The process that computed it ended {count} times without an answer (last: {found}); often there is too little "
        "memory. Choose fewer achievements and experts for a need, or a machine with more memory, and start it again.",
        "计算进程 {count} 次意外结束（最后一次：{found}），多为内存不足。"
        "请减少每项需求保留的成果数与专家数，或换用内存更大的机器，再重新运行。",
    ),
    "web.run_overdue": (
        "It took longer than {hours} hours and was ended. Limit `allocate.seconds`, or run one engine at a time.",
        "运行超过 {hours} 小时，已终止。请限制 allocate.seconds，或逐个引擎运行。",
    ),
    "web.run_broken": (
        "It stopped at {found}, which is a fault of the program. Tell the operator the number of the run; "
        "the log says more.",
        "运行因 {found} 中止，这是程序的问题。请把运行编号告诉运维人员，日志中有详情。",
    ),
    "web.run_unfinished": (
        "Run {number} is not done ({state}): only a finished run can be adopted.",
        "运行 {number} 尚未完成（{state}），只有已完成的运行才能采用。",
    ),
    "web.run_gone": (
        "The results of run {number} are no longer kept: adopted runs and the newest {kept} of a place are. "
        "Start it again with the same plan.",
        "运行 {number} 的结果已清理：只保留已采用的运行和每个区域最近 {kept} 次运行。可用同一方案重新运行。",
    ),
}
