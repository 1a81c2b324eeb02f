"""Wordings about work on the data: texts, engines, where it runs, the report, plan and run.

Code: (English, Chinese). Keep the sections in the order of the rooms; one line a language.
"""

from __future__ import annotations

from typing import Final

MESSAGES: Final[dict[str, tuple[str, str]]] = {
    # ── text ────────────────────────────────────────────────────────────────────────────────────────────────
    "text.type": (
        "{count} of {total} texts are not text: position {position} holds {found}. Convert the column to text first.",
        "{total} 条文本中有 {count} 条不是文本：第 {position} 条（从 0 起）为 {found}。请先将该列转换为文本。",
    ),
    "text.encoder": (
        "There is no encoder {name!r}. Choose one of: {known}.",
        "没有名为 {name!r} 的编码器。可选：{known}。",
    ),
    "text.package": (
        "Encoder {name} needs the package {package}, which is not installed. Install it, or choose encoder 'corpus', "
        "which needs none.",
        "编码器 {name} 需要软件包 {package}，当前未安装。请安装，或改用无需安装的编码器 corpus。",
    ),
    "text.folder": (
        "{path} {found}. Give the local folder of a sentence-transformers model; nothing is downloaded.",
        "{path} 不是可用的模型文件夹（{found}）。请给出本地 sentence-transformers 模型文件夹；不会自动下载。",
    ),
    "text.reader": (
        "{path} {found}, which silian does not read itself. Install the package sentence-transformers, or give a "
        "folder with config.json, model.safetensors and tokenizer.json of a BERT-type encoder.",
        "{path} 不在本程序可直接读取的范围内（{found}）。请安装软件包 sentence-transformers，"
        "或给出含 config.json、model.safetensors 和 tokenizer.json 的 BERT 类编码器文件夹。",
    ),
    "text.corpus": (
        "None of the {count} texts to learn from holds a word. Give an encoder at least one text with words.",
        "用于学习的 {count} 条文本都没有词语。请至少提供一条有内容的文本。",
    ),
    "text.unfitted": (
        "Encoder {name} has not learnt from a corpus yet. Call fit(corpus) and use what it returns.",
        "编码器 {name} 尚未学习语料。请先调用 fit(corpus) 并使用其返回值。",
    ),
    # ── match ───────────────────────────────────────────────────────────────────────────────────────────────
    "match.empty": (
        "{table} has no row: there is nothing to match with. Add rows, or leave this step out.",
        "{table} 没有数据，无可匹配对象。请补充数据，或略去此步骤。",
    ),
    "match.encoder": (
        "the encoder of the {what} was {found}, which here is {wanted}: another model, whose vectors cannot be "
        "compared. Build it again and save it, or install what it was built with.",
        "{what} 建立时的编码器为 {found}，此处为 {wanted}：模型不同，向量不可比较。请重新建立并保存，或安装原有模型。",
    ),
    "match.kind": (
        "{name} wants an index of {wanted}; this one holds {found}. Use the index of `match.{builder}`.",
        "{name} 需要 {wanted} 的索引，此索引为 {found}。请使用 `match.{builder}` 建立的索引。",
    ),
    "match.nothing_left": (
        "all {count} targets of the index would go, and an index of nothing cannot be asked. Keep some, or do without.",
        "索引中的 {count} 个对象将全部移除，空索引无法查询。请保留一部分，或不再使用该索引。",
    ),
    "match.folds": (
        "The labels hold {found} {what}, too few for {wanted} folds. Ask for fewer folds, or grade more pairs.",
        "评级只涉及 {found} 个分组（{what}），不足以分成 {wanted} 折。请减少折数，或补充评级。",
    ),
    "match.targets": (
        "{table} are not those that the index was built from: {count} differ, e.g. {shown}. "
        "Give the tables that build or build_experts took, or build the index anew.",
        "{table} 与建立索引时的数据不一致：{count} 项不同，例如 {shown}。请传入建索引时所用的表，或重新建立索引。",
    ),
    # ── allocate, link, chain ───────────────────────────────────────────────────────────────────────────────
    "allocate.pin_absent": (
        "{count} pin(s) are no row of pairs, e.g. {shown}. Add the pairs with their score, or drop the pins.",
        "有 {count} 个指定不在配对表中，例如 {shown}。请补充这些配对及其得分，或取消指定。",
    ),
    "allocate.pin_conflict": (
        "{count} pin(s) are conflicts of interest, e.g. {shown}. A pair in conflict never comes out: drop the pins, or "
        "correct the relations that the conflict rests on.",
        "有 {count} 个指定存在利益冲突，例如 {shown}。有冲突的配对不得指派：请取消指定，或更正冲突所依据的关系。",
    ),
    "allocate.pin_vetoed": (
        "{count} pin(s) are vetoed as well, e.g. {shown}. Drop the pin or the veto.",
        "有 {count} 个指定同时被否决，例如 {shown}。请取消指定或否决。",
    ),
    "allocate.clash": (
        "the rules cannot all be kept. Smallest set that clashes ({count} rule(s), one of {sets}): {rules_en}. "
        "Cheapest way out (cost {cost:.6g}): {ways_en}. Relax them so, or one of each set; problems lists all.",
        "各项规则无法同时满足。最小冲突组（{count} 条，共 {sets} 组）：{rules_zh}。"
        "代价最小的放宽办法（代价 {cost:.6g}）：{ways_zh}。请据此放宽，或从每组中放宽一条；全部条目见 problems。",
    ),
    "allocate.time": (
        "no allocation that keeps all rules was found in {seconds:g} s (a total above {bound:.6g} is impossible). Give "
        "it more seconds, or relax the rules: `allocate.clashes` tells which ones clash.",
        "在 {seconds:g} 秒内没有找到满足全部规则的指派（总得分不可能超过 {bound:.6g}）。请延长时间或放宽规则："
        "`allocate.clashes` 可指出相互冲突的规则。",
    ),
    "allocate.floor": (
        "no allocation was found that gives every need that can be served a score of {floor:.6g}. The largest floor "
        "found is {most:.6g} (none above {bound:.6g} is possible). Ask for no more, or take goal='fair' without floor.",
        "未找到使每项可服务需求得分都不低于 {floor:.6g} 的指派。找到的最高下限为 {most:.6g}（不可能高于 {bound:.6g}）。"
        "请降低下限，或使用 goal='fair' 而不指定下限。",
    ),
    # raised: an allocation that is taken up again does not fit its tables
    "allocate.pair": (
        "{count} pair(s) of assigned may not stand, e.g. {shown}: they are not in pairs, have a score of 0 or less, or "
        "are in conflict. Hand in the tables that the allocation was made from, or drop those rows.",
        "assigned 中有 {count} 对不应存在，例如 {shown}：不在 pairs 中、得分不大于 0 或有利益冲突。"
        "请传入生成该指派时所用的表，或删除这些行。",
    ),
    "allocate.room": (
        "{count} {side}(s) of assigned have more pairs than they want or have places, e.g. {shown}. "
        "Hand in the tables that the allocation was made from; make changes with allocate.repair.",
        "assigned 中有 {count} 个编号（{side}）的配对数超过所需人数或可承接数，例如 {shown}。"
        "请传入生成该指派时所用的表；数量变化请用 allocate.repair 处理。",
    ),
    "allocate.rules": (
        "assigned breaks {count} of its rules, e.g. {shown}; problems lists them. Hand in the rules that it was made "
        "under, or allocate anew.",
        "assigned 违反 {count} 条规则，例如 {shown}；全部条目见 problems。请传入生成该指派时所用的规则，或重新指派。",
    ),
    "allocate.by_hand": (
        "the rules cannot be kept together with {count} pair(s) put in or taken out by hand. Take some of those moves "
        "back with allocate.edit, or reopen the allocation without them.",
        "手工加入或移除的 {count} 对与规则无法同时成立。"
        "请用 allocate.edit 撤回部分改动，或不带这些改动重新打开该指派。",
    ),
    "allocate.limits": (
        "allocate.{what} answers within demand, capacity, pins and vetoes, but {count} further limit(s) stand, e.g. "
        "{shown}. Drop them, or use allocate.assign, which keeps all rules and gives reasons.",
        "allocate.{what} 只适用于需求、名额、指定和否决，而现有另外 {count} 条限制，例如 {shown}。"
        "请去掉这些限制，或使用 allocate.assign（遵守全部规则并给出原因）。",
    ),
    "chain.amount": (
        "{table} has a column value and a column present. Keep the one that says what is present: value is measured by "
        "comparative advantage, present is taken as it is.",
        "{table} 同时有 value 列与 present 列。请只保留一列：value 按显示性比较优势判断，present 直接采用。",
    ),
    "chain.empty": (
        "{table} has no row: there is no place and no activity to measure. Add rows.",
        "{table} 没有数据，没有可计算的地区与产业。请补充数据。",
    ),
    "chain.history": (
        "presence has no year before {until} in which a blank was open: nothing can be learnt of how blanks fill. Give "
        "more years or places, or a later `until`.",
        "presence 在 {until} 年之前没有任何存在空白的年份，无法学习空白如何被填补。请补充年份或地区，或推后 until。",
    ),
    # ── team ────────────────────────────────────────────────────────────────────────────────────────────────
    "team.need": (
        "the region has no need {need}. Near: {near}.",
        "区域中没有需求 {need}。相近的有：{near}。",
    ),
    "team.skills": (
        "need {need} states no skills, so no team can be formed for it. List what it needs in the table "
        "challenge_skills, one row a skill. {count} need(s) state skills: {shown}.",
        "需求 {need} 没有列出所需技能，无法组队。请在 challenge_skills 表中逐行填写所需技能。"
        "已列出技能的需求有 {count} 项：{shown}。",
    ),
    "team.expert": (
        "the region has no expert {shown} ({count} unknown). Near: {near}.",
        "区域中没有专家 {shown}（{count} 个编号未知）。相近的有：{near}。",
    ),
    "team.run": (
        "{count} expert(s) of the region are not in the run {run}, e.g. {shown}: the data has changed since. Run "
        "`silian run` again; finished steps that still hold are taken over.",
        "区域中有 {count} 位专家不在运行结果 {run} 中，例如 {shown}：数据在运行之后有变化。请重新执行 `silian run`，"
        "仍然有效的步骤会沿用。",
    ),
    # ── compute ─────────────────────────────────────────────────────────────────────────────────────────────
    "compute.name": (
        "There is no place {name!r} to run. Choose one of: {known}.",
        "没有名为 {name!r} 的运行位置。可选：{known}。",
    ),
    "compute.package": (
        "{name} needs the package {package}, which is not installed. Install silian[ray], or run local.",
        "{name} 需要软件包 {package}，当前未安装。请安装 silian[ray]，或在本机运行（local）。",
    ),
    "compute.connected": (
        "{name} cannot be opened: this process is connected to a Ray cluster already. Close that one first.",
        "无法打开 {name}：本进程已连接到一个 Ray 集群。请先关闭该连接。",
    ),
    "compute.start": (
        "The cluster {name} did not start on this machine: {found}. Ask for fewer workers, free memory and space in "
        "the folder for temporary files, or run local.",
        "集群 {name} 未能在本机启动：{found}。请减少工作进程，腾出内存与临时文件夹空间，或在本机运行（local）。",
    ),
    "compute.unreachable": (
        "The cluster {name} cannot be used: {found}. Check that it runs (`ray status` there), its client port, the "
        "firewall and the password (docs/how-to/cluster.md); or run local.",
        "无法使用集群 {name}：{found}。请检查集群是否在运行（在其上执行 `ray status`）、客户端端口、防火墙与口令"
        "（见 docs/zh/how-to/cluster.md）；或在本机运行（local）。",
    ),
    "compute.version": (
        "The cluster {name} has other versions than this machine, so results could differ: {found}. Install the same "
        "on all machines, then start the cluster again.",
        "集群 {name} 与本机的版本不同，结果可能不一致：{found}。请在所有机器上安装相同版本，再重启集群。",
    ),
    "compute.worker": (
        "Block {number} failed {tries} times because its worker died: {found}. Most often memory ran out: take smaller "
        "blocks (match.block_rows), fewer workers, or machines with more memory.",
        "第 {number} 块失败 {tries} 次，其工作进程意外终止：{found}。通常是内存不足："
        "请减小每批行数（match.block_rows）、减少工作进程，或使用内存更大的机器。",
    ),
    "compute.lost": (
        "The connection to the cluster {name} was lost: {found}. Check that it still runs, then run again: finished "
        "steps are kept.",
        "与集群 {name} 的连接中断：{found}。请检查集群是否仍在运行，然后重新运行：已完成的步骤会保留。",
    ),
    # ── report ──────────────────────────────────────────────────────────────────────────────────────────────
    "report.results": (
        "{count} result table(s) are missing: {missing}. Give every table of the run; an empty one may be empty.",
        "缺少 {count} 张结果表：{missing}。请提供本次运行的全部结果表；没有内容的可为空表。",
    ),
    "report.draw": (
        "A picture cannot be drawn as {form}: {found}. Check that it is a Vega-Lite spec that names no outside data.",
        "图形无法绘制为 {form}：{found}。请确认它是不引用外部数据的 Vega-Lite 规格。",
    ),
    "report.write": (
        "{path} cannot be written: {found}. Close it where it is open, or choose another place.",
        "无法写入 {path}：{found}。请先关闭打开该文件的程序，或换一个位置。",
    ),
    # ── plan and run ────────────────────────────────────────────────────────────────────────────────────────
    "plan.missing": (
        "there is no plan file {path}. Name one that exists, or leave --plan out for the default plan.",
        "方案文件 {path} 不存在。请指定已有文件，或省略 --plan 使用默认方案。",
    ),
    "plan.syntax": (
        "{path} is not a TOML file: {found}. Start from `silian plan > plan.toml`.",
        "{path} 不是有效的 TOML 文件：{found}。可先运行 `silian plan > plan.toml`。",
    ),
    "plan.unknown": (
        "{where} has an unknown setting {name}; nearest: {hint}. Correct or remove it; `silian plan` lists all.",
        "{where} 中的设置 {name} 未知；相近的有：{hint}。请更正或删除；`silian plan` 列出全部设置。",
    ),
    "plan.type": (
        "{where}: {name} is {found}, wanted {wanted}.",
        "{where}：{name} 为 {found}，应为 {wanted}。",
    ),
    "plan.value": (
        "{where}: {name} is {found}, wanted {wanted}.",
        "{where}：{name} 为 {found}，应在 {wanted} 之内。",
    ),
    "plan.day": (
        "the plan's day `on` is {found!r}, wanted a day such as 2026-09-01, or empty.",
        "方案中的基准日 on 为 {found!r}，应为 2026-09-01 这样的日期，或留空。",
    ),
    "run.grave": (
        "{count} grave problem(s) in {region}, e.g. {shown}. Correct them (all stand in {listed}), then run again.",
        "{region} 中有 {count} 个严重问题，例如 {shown}。请更正（全部列于 {listed}）后重新运行。",
    ),
    "run.clash": (
        "the rules of the assignment cannot all be kept, so nobody was assigned and no result was written. {listed} "
        "tells which ones clash and the cheapest way out. Change them (assignment_rules, plan), then run again.",
        "指派规则无法同时满足，未作指派，也未写出结果。{listed} 列出相互冲突的规则与代价最小的放宽办法。"
        "请修改规则（assignment_rules 表或方案）后重新运行。",
    ),
    "run.unknown": (
        "the run knows no {noun} {found!r}; nearest: {hint}. Look at the id.",
        "该运行中没有编号为 {found!r} 的{noun_zh}；相近的有：{hint}。请核对编号。",
    ),
    "run.beside": (
        "allocate.beside names the folder {out}, into which this run goes: it would stand beside itself. Leave it out.",
        "allocate.beside 列出了本次运行自己的结果文件夹 {out}，会把自己算作其他项目。请去掉它。",
    ),
    "run.replies": (
        "{count} row(s) of {path} cannot be used as replies, so nothing was changed. Correct them, then run again.",
        "{path} 中有 {count} 处无法作为答复使用，未作任何调整。请更正后重新运行。",
    ),
    "run.table": (
        "{count} cell(s) of {path} cannot be used, so nothing was worked out. Correct them, then run again.",
        "{path} 中有 {count} 处无法使用，未作任何计算。请更正后重新运行。",
    ),
    "run.busy": (
        "another run is writing {out} now. Wait for it, or choose another --out.",
        "另有运行正在写入 {out}。请等待其结束，或换一个 --out。",
    ),
    "run.not_a_run": (
        "{out} exists and is not a run folder (it lacks receipt.json). Choose another --out, or move it away.",
        "{out} 已存在且不是运行结果文件夹（缺少 receipt.json）。请换一个 --out，或先移走它。",
    ),
    "run.inside": (
        "{out} lies inside the region {region}, or the region inside it. Choose an --out beside the region.",
        "{out} 与区域文件夹 {region} 互相包含。请选择区域之外的 --out。",
    ),
    "run.disk": (
        "could not write {path}: {found}. Free space or choose another --out, then run again: finished steps are kept.",
        "无法写入 {path}：{found}。请腾出空间或换一个 --out 后重新运行：已完成的步骤会保留。",
    ),
    "run.missing": (
        "{path} is not a finished run: it lacks {lacks}. Run `silian run` first.",
        "{path} 不是已完成的运行结果：缺少 {lacks}。请先执行 `silian run`。",
    ),
}
