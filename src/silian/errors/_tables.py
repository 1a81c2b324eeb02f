"""Wordings about data: columns, arguments, files, what the check finds, the synthetic region.

Code: (English, Chinese). Keep the sections in the order of the rooms; one line a language.
"""

from __future__ import annotations

from typing import Final

MESSAGES: Final[dict[str, tuple[str, str]]] = {
    # ── tables: columns of a table handed to a function ─────────────────────────────────────────────────────
    "table.columns": (
        "{table} lacks column(s) {missing}; it has {present}. Add them, or rename the columns as the schema says.",
        "{table} 缺少列 {missing}；现有列 {present}。请补充，或按数据字典改列名。",
    ),
    "table.type": (
        "{table}.{column} is {found}, wanted {wanted}. Convert the column before the call.",
        "{table}.{column} 的类型为 {found}，应为 {wanted}。请先转换该列。",
    ),
    "table.value": (
        "{count} value(s) of {table}.{column} are {found}, e.g. {shown}; wanted {wanted}. Correct or drop those rows.",
        "{table}.{column} 有 {count} 个值{found}，例如 {shown}；应为{wanted}。请更正或删除这些行。",
    ),
    "table.unknown": (
        "{count} value(s) of {table}.{column} do not exist in {where}, e.g. {shown}. "
        "Add them to {where}, or drop those rows.",
        "{table}.{column} 有 {count} 个值在 {where} 中不存在，例如 {shown}。请在 {where} 中补充，或删除这些行。",
    ),
    "table.duplicate": (
        "{count} key(s) of {table} ({column}) stand more than once, e.g. {shown}. Keep one row a key.",
        "{table} 有 {count} 个主键（{column}）重复，例如 {shown}。每个主键只保留一行。",
    ),
    # ── arguments ───────────────────────────────────────────────────────────────────────────────────────────
    "argument.value": (
        "{name} is {found}, wanted {wanted}.",
        "参数 {name} 为 {found}，应为 {wanted}。",
    ),
    # ── read: files of a region ─────────────────────────────────────────────────────────────────────────────
    # raised: the file cannot be read, or must not be
    "read.missing": (
        "there is no {path}. Name a folder of tables or a workbook (.xlsx) that exists.",
        "{path} 不存在。请指定已有的数据文件夹或工作簿（.xlsx）。",
    ),
    "read.not_region": (
        "{path} is neither a folder nor an .xlsx workbook. Put the tables in a folder, or save them as one workbook.",
        "{path} 既不是文件夹也不是 .xlsx 工作簿。请把各表放进一个文件夹，或存为一个工作簿。",
    ),
    "read.no_tables": (
        "{path} holds no table of a region ({count} file(s) seen). Name the files after the tables, e.g. needs.csv, "
        "organisations.xlsx; `silian template` writes a workbook to fill in.",
        "{path} 中没有任何数据表（共 {count} 个文件）。请以表名命名文件，如 needs.csv、需求.xlsx；"
        "可用 `silian template` 生成待填写的工作簿。",
    ),
    "read.outside": (
        "{file} points out of the folder, to {target}. Copy the file itself into the folder.",
        "{file} 指向文件夹之外的 {target}。请把文件本身复制到该文件夹中。",
    ),
    "read.not_file": (
        "{file} is not a regular file. Remove it, or put the table itself in its place.",
        "{file} 不是普通文件。请删除，或换成数据表文件。",
    ),
    "read.failed": (
        "{file} cannot be opened: {found}. Check that it is there and that you may read it.",
        "无法打开 {file}：{found}。请确认文件存在且有读取权限。",
    ),
    "read.too_big": (
        "{file} has {found} bytes, at most {limit} are read. Split it: {table}.1.csv, {table}.2.csv and so on.",
        "{file} 有 {found} 字节，最多读取 {limit} 字节。请拆分为 {table}.1.csv、{table}.2.csv 等多个文件。",
    ),
    "read.too_many_files": (
        "{path} holds more than {limit} files. Keep only the tables of one region in the folder.",
        "{path} 中的文件超过 {limit} 个。请只在文件夹中保留一个区域的数据表。",
    ),
    "read.too_many_rows": (
        "{file} has more than {limit} rows. Split the region, or leave out what is not needed.",
        "{file} 超过 {limit} 行。请按区域拆分，或去掉不需要的内容。",
    ),
    "read.too_many_columns": (
        "{file} has {found} columns, at most {limit} are read. Keep the columns of the table.",
        "{file} 有 {found} 列，最多读取 {limit} 列。请只保留本表的列。",
    ),
    "read.cell": (
        "{file} has a cell of more than {limit} bytes near row {row}. Look for a quotation mark that is never closed, "
        "or shorten the text.",
        "{file} 第 {row} 行附近有单元格超过 {limit} 字节。请检查是否有未闭合的引号，或缩短文字。",
    ),
    "read.quote": (
        "{file} ends inside a quotation that begins in row {row}. Close the quotation mark there, or double it.",
        "{file} 第 {row} 行起的引号直到文件结尾都没有闭合。请在该处补上引号，或写成两个引号。",
    ),
    "read.encoding": (
        "{file} is neither UTF-8 nor GB18030 text throughout: byte {byte} in line {row} ({found}). "
        "Save it again as “CSV UTF-8”.",
        "{file} 的编码既不是 UTF-8 也不是 GB18030：第 {row} 行、第 {byte} 字节处有误（{found}）。请另存为“CSV UTF-8”。",
    ),
    "read.nul": (
        "{file} holds a NUL byte in line {row} (byte {byte}): no text, or damaged. Export it again as “CSV UTF-8”.",
        "{file} 第 {row} 行（第 {byte} 字节）含有空字节：不是文本文件或已损坏。请重新导出为“CSV UTF-8”。",
    ),
    "read.ragged_all": (
        "{file} has {count} rows with another number of cells than its heading ({wanted}). It is no table with this "
        "separator ({found}); export it again as CSV.",
        "{file} 有 {count} 行的单元格数与表头（{wanted} 列）不符。按分隔符 {found} 无法成表，请重新导出为 CSV。",
    ),
    "read.workbook": (
        "{file} is not a sound .xlsx workbook: {found}. Open it in Excel and save it again as .xlsx.",
        "{file} 不是完好的 .xlsx 工作簿：{found}。请用 Excel 打开后重新存为 .xlsx。",
    ),
    "read.password": (
        "{file} is protected by a password, or in the old .xls form. Save it as .xlsx without a password.",
        "{file} 设有打开密码，或是旧的 .xls 格式。请另存为不带密码的 .xlsx。",
    ),
    "read.zip_bomb": (
        "{file} would unpack to {found}, more than the allowed {limit}. It was not opened; save the table as CSV.",
        "{file} 解压后将达 {found}，超过允许的 {limit}，未予打开。请把表另存为 CSV。",
    ),
    "read.sheet_far": (
        "{file} has a cell far from its table, at {found}. Delete the empty rows and columns between, or save as CSV.",
        "{file} 在 {found} 处有远离表格的单元格。请删除其间的空行空列，或另存为 CSV。",
    ),
    "read.parquet": (
        "{file} is not a sound Parquet file: {found}. Write it again.",
        "{file} 不是完好的 Parquet 文件：{found}。请重新生成。",
    ),
    # listed: the rest is read
    "read.empty_file": (
        "the file is empty: fill it in, or remove it.",
        "文件为空：请填写内容，或删除该文件。",
    ),
    "read.heading": (
        "no row of the first {rows} is a heading of this table: name the columns as in the template ({wanted}, …).",
        "前 {rows} 行中没有本表的表头：请按模板命名各列（{wanted} 等）。",
    ),
    "read.heading_twice": (
        "two columns stand for the same one and only the first is read: keep one.",
        "有两列对应同一字段，只读取了第一列：请只保留一列。",
    ),
    "read.column_unknown": (
        "the table has no such column, so it is not read; nearest: {hint}. Rename or remove it.",
        "本表没有这一列，未读取；相近的有：{hint}。请改名或删除。",
    ),
    "read.ragged": (
        "the row has another number of cells than the heading ({wanted}) and is left out: check separators and quotes.",
        "本行的单元格数与表头（{wanted}）不符，未读取：请检查分隔符和引号。",
    ),
    "read.file_unknown": (
        "no table has this name or form, so it is not read; tables are .csv, .tsv, .xlsx or .parquet, e.g. {hint}.",
        "没有与此文件名或格式对应的表，未读取；数据表应为 .csv、.tsv、.xlsx 或 .parquet，例如 {hint}。",
    ),
    "read.sheet_unknown": (
        "no table has the name of this sheet, so it is not read: name the sheet after its table, e.g. {hint}.",
        "没有与此工作表同名的表，未读取：请以表名命名工作表，例如 {hint}。",
    ),
    "read.sheet_hidden": (
        "the sheet is hidden, so it is not read: unhide it, or delete it.",
        "工作表被隐藏，未读取：请取消隐藏，或删除。",
    ),
    "read.merged": (
        "merged cells: their value was taken for every row and column that they cover. Unmerge and fill the cells in.",
        "合并单元格：其值已用于所覆盖的每一格。请取消合并并逐格填写。",
    ),
    "read.merged_all": (
        "the sheet has {count} merged ranges, more than {limit}: they were not filled in. Unmerge them.",
        "工作表有 {count} 处合并单元格，超过 {limit} 处，未予展开。请取消合并。",
    ),
    "read.formula": (
        "a formula without a stored value, so the cell is empty: open the file in Excel and save it, or paste values.",
        "公式没有保存计算结果，按空单元格读取：请用 Excel 打开后保存，或粘贴为数值。",
    ),
    "read.error_value": (
        "an error value of Excel, so the cell is read as empty: correct the formula, or type the value.",
        "Excel 错误值，按空单元格读取：请更正公式，或直接填写数值。",
    ),
    "read.damaged_text": (
        "the text was damaged when it was converted earlier (replacement characters): take it from the source again.",
        "文字在先前转换编码时已损坏（出现替换字符）：请从来源重新录入。",
    ),
    "read.geojson": (
        "districts.geojson is not used: {wanted}. Correct it, or remove it to go without a map.",
        "未使用 districts.geojson：{wanted}。请更正；不需要地图时可删除。",
    ),
    "read.more": (
        "this many further problems of this kind in this column are not listed: correct those listed first.",
        "该列还有这么多同类问题未逐条列出：请先更正已列出的。",
    ),
    # ── write: files of a region ────────────────────────────────────────────────────────────────────────────
    "write.failed": (
        "{path} cannot be written: {found}. Nothing was changed there; free space or choose another place.",
        "无法写入 {path}：{found}。原有内容未改动；请腾出空间或换一个位置。",
    ),
    "write.mixed": (
        "{path} already holds {shown}, which would be read together with the new tables. "
        "Choose an empty folder, or remove them.",
        "{path} 中已有 {shown}，会与新写的表一起被读取。请选择空文件夹，或先删除它们。",
    ),
    "write.cell": (
        "{count} text(s) of {table}.{column} are longer than the {limit} characters that a cell of Excel holds, "
        "the longest {found}. Write CSV or Parquet.",
        "{table}.{column} 有 {count} 个文本超过 Excel 单元格的 {limit} 字上限，最长 {found} 字。"
        "请写为 CSV 或 Parquet。",
    ),
    "write.rows": (
        "{table} has {found} rows, a sheet of Excel holds {limit}. Write CSV or Parquet.",
        "{table} 有 {found} 行，Excel 工作表最多 {limit} 行。请写为 CSV 或 Parquet。",
    ),
    # ── store: files of arrays that are kept (an index, a grader) ───────────────────────────────────────────────
    "store.missing": (
        "there is no {path}. Save it first, or name the file that you saved.",
        "{path} 不存在。请先保存，或指定已保存的文件。",
    ),
    "store.unreadable": (
        "{path} cannot be opened: {found}. Check that you may read it.",
        "无法打开 {path}：{found}。请确认有读取权限。",
    ),
    "store.unwritable": (
        "{path} cannot be written: {found}. What stood there before is as it was. Free space or choose another place.",
        "无法写入 {path}：{found}。原有文件保持不变。请腾出空间或换一个位置。",
    ),
    "store.foreign": (
        "{path} is no file that silian keeps ({found}). Name the file that you saved.",
        "{path} 不是 silian 保存的文件（{found}）。请指定已保存的文件。",
    ),
    "store.kind": (
        "{path} holds another thing: {found}, wanted {wanted}. Name the right file.",
        "{path} 中保存的是 {found}，应为 {wanted}。请指定正确的文件。",
    ),
    "store.version": (
        "{path} holds {kind} of version {found}; this silian reads version {wanted}. Build it again and save it.",
        "{path} 中 {kind} 的版本为 {found}，本版 silian 只读版本 {wanted}。请重新建立并保存。",
    ),
    "store.length": (
        "{path} has {found} bytes, wanted {wanted}: it was cut short, or something was written behind it. "
        "Copy it again, or build it again and save it.",
        "{path} 有 {found} 字节，应为 {wanted}：文件被截断或尾部多了内容。请重新复制，或重新建立并保存。",
    ),
    "store.header": (
        "the header of {path} is broken: {found}. Copy the file again, or build it again and save it.",
        "{path} 的文件头已损坏：{found}。请重新复制，或重新建立并保存。",
    ),
    "store.broken": (
        "{path} has a broken byte in {array}: checksum {found}, wanted {wanted}. "
        "Copy the file again, or build it again and save it.",
        "{path} 的 {array} 中有字节损坏：校验和为 {found}，应为 {wanted}。请重新复制，或重新建立并保存。",
    ),
    "store.content": (
        "{where} of what was kept is {found}, wanted {wanted}: another version of silian wrote it, or another hand. "
        "Build it again and save it.",
        "所保存内容的 {where} 为 {found}，应为 {wanted}：由其他版本的 silian 或他人写成。请重新建立并保存。",
    ),
    "store.type": (
        "{what} is {found}, which cannot be kept; wanted {wanted}.",
        "{what} 为 {found}，无法保存；应为{wanted}。",
    ),
    # ── check: what is wrong inside the data; listed, with what to do ───────────────────────────────────────
    "check.table": (
        "the region needs this table and there is no file for it: add {hint}.",
        "区域必须有此表，但没有对应的文件：请补充 {hint}。",
    ),
    "check.rows": (
        "the table is needed and has no row: fill it in.",
        "此表必填，但没有任何数据行：请填写。",
    ),
    "check.column": (
        "the column is needed and empty or missing in every row: add it.",
        "此列必填，但缺失或全为空：请补充。",
    ),
    "check.empty": (
        "the cell must be filled in.",
        "该单元格必填。",
    ),
    "check.type": (
        "wanted {wanted}; the cell was read as empty. Correct it.",
        "应为{wanted}；该单元格已按空值读取。请更正。",
    ),
    "check.range": (
        "wanted {wanted}. Correct the value.",
        "应为 {wanted}。请更正。",
    ),
    "check.code": (
        "not in the list of {wanted}. Choose one of the list; the template offers it.",
        "不在可选值之内：{wanted}。请从列表中选择，模板中有下拉列表。",
    ),
    "check.unknown": (
        "does not exist in {wanted}. Correct it, or add the row there; until then it is not used.",
        "在 {wanted} 中不存在。请更正，或在该表中补充；在此之前不予采用。",
    ),
    "check.duplicate": (
        "the key {wanted} stands more than once. Keep one row; the first is used.",
        "主键 {wanted} 重复。请只保留一行；目前采用第一行。",
    ),
    "check.uscc_length": (
        "a unified social credit code has 18 characters (GB 32100). Copy it from the licence; keep the cell as text.",
        "统一社会信用代码应为 18 位（GB 32100）。请按证照填写，并将单元格设为文本。",
    ),
    "check.uscc_alphabet": (
        "holds a character that the code never has (I, O, S, V, Z, a letter in the region). Copy it from the licence.",
        "含有代码中不会出现的字符（I、O、S、V、Z，或行政区划位中的字母）。请按证照填写。",
    ),
    "check.uscc_department": (
        "its first two characters name no department and kind of body of GB 32100. Copy it from the licence.",
        "前两位不是 GB 32100 规定的登记管理部门和机构类别。请按证照填写。",
    ),
    "check.uscc_region": (
        "its characters 3 to 8 name no region that GB/T 2260 has or had. Copy it from the licence.",
        "第 3 至 8 位不是 GB/T 2260 现行或曾用的行政区划。请按证照填写。",
    ),
    "check.uscc_inner": (
        "the check character of its body code (character 17, GB 11714) is wrong. Copy it from the licence.",
        "主体标识码的校验码（第 17 位，GB 11714）有误。请按证照填写。",
    ),
    "check.uscc_check": (
        "its check character (18) is wrong. Copy it from the licence.",
        "校验码（第 18 位）有误。请按证照填写。",
    ),
    "check.gbt2260": (
        "not six digits in a prefecture that GB/T 2260 has or had. Correct it.",
        "不是 GB/T 2260 现行或曾用地级区划内的六位代码。请更正。",
    ),
    "check.gbt4754": (
        "not a code of GB/T 4754: a section letter, or two to four digits with or without their own section letter. "
        "Correct it.",
        "不是 GB/T 4754 代码：应为门类字母，或二至四位数字（可带所属门类字母）。请更正。",
    ),
    "check.ipc": (
        "not a class of the International Patent Classification, such as H01M 10/05. Correct it.",
        "不是国际专利分类号，正确写法如 H01M 10/05。请更正。",
    ),
    "check.orcid": (
        "not an ORCID iD, such as 0000-0002-1825-0097; its last character is a check character. Correct it.",
        "不是 ORCID 标识，正确写法如 0000-0002-1825-0097，末位为校验码。请更正。",
    ),
    "check.doi": (
        "not a DOI, such as 10.1000/182. Correct it.",
        "不是 DOI，正确写法如 10.1000/182。请更正。",
    ),
    "check.url": (
        "not a web address that begins with http:// or https://. Correct it.",
        "不是以 http:// 或 https:// 开头的网址。请更正。",
    ),
    "check.order": (
        "comes after {wanted} of the same row. Correct one of the two.",
        "晚于（大于）同一行的 {wanted}。请更正其中之一。",
    ),
    "check.ungraded": (
        "neither {column} nor {other} is given, so the row says nothing. Fill one of the two, or drop the row.",
        "{column} 与 {other} 均未填写，该行没有内容。请填写其中之一，或删除该行。",
    ),
    "check.rule": (
        "a rule of kind {kind} needs {wanted}. Fill it, or drop the rule.",
        "{kind} 类规则须填写 {wanted}。请填写，或删除该规则。",
    ),
    "check.reply_pair": (
        "the run assigns no such pair. Name a pair that was sent out, or the run that it came from.",
        "该运行未指派此配对。请填写已发出的配对，或指明其所属的运行。",
    ),
    "check.reply_free": (
        "fewer needs the number of needs that the expert still serves (free). Fill it.",
        "答复为“减少”时须填写仍服务几项需求（保留名额）。请填写。",
    ),
    "check.reply_count": (
        "the replies of this expert do not go together: fewer says {wanted} places. Correct one of them.",
        "该专家的答复前后不一：“减少”所写名额为 {wanted}。请更正其一。",
    ),
    "check.future": (
        "lies after the day of the check ({wanted}). Correct the date.",
        "晚于检查日期（{wanted}）。请更正日期。",
    ),
    "check.share_sum": (
        "the shares of this maker add up to more than 1. Correct them.",
        "该机构各产品的收入占比之和大于 1。请更正。",
    ),
    "check.self": (
        "both sides are the same. Correct one, or remove the row.",
        "两端相同。请更正其一，或删除该行。",
    ),
    "check.circle": (
        "the parent organisations run in a circle. Correct one of them.",
        "上级机构形成循环。请更正其中之一。",
    ),
    # ── synth ───────────────────────────────────────────────────────────────────────────────────────────────
    "synth.size": (
        "No synthetic region of size {found}; the sizes are {wanted}.",
        "没有规模为 {found} 的模拟区域；可选规模：{wanted}。",
    ),
}
