"""Words that stand around a product in a firm's list of products, and words that name no product by themselves.

Closed lists, written by hand from the ways in which annual reports and business scopes speak; longer ones first where
one ends in another does not matter: whoever reads them takes the longest that fits.
"""

from __future__ import annotations

from typing import Final


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


# At the end of a name; what stands before it is the same thing.
FRAMES: Final = _listed(
    "的 类的 溶液 水溶液 原粉 原药 原液 粉体 系列 类 等 业务 分部 板块 项目 产业 行业 业 业态 事业部 事业 产品 "
    "商品 品种 费 费用 收入 款 领域 品牌 报告分部 经营分部 部分 系列产品 类产品 等产品 业务分部 业务板块 产品线 "
    "业务收入 销售收入 分部主营业务 营业收入 货物 品类 实业 及其他 及其它 等其他 其他"
)
# At the end or the beginning: the firm makes what stands beside it.
MAKING: Final = _listed(
    "生产 制造 加工 制作 研制 研发 开发 深加工 生产加工 加工制造 生产制造 制售 产销 建造 组装 修造 洗选 承建 承做 "
    "焙烧 自营 拆解 研究 研究开发 研发生产 自产 生产经营 开采 采掘 采选 种植 养殖 加工业 制造业 种植业 养殖业 "
    "生产业 开采业 加工费 受托加工 委托加工 来料加工"
)
# At the end or the beginning: the firm deals in it.
TRADING: Final = _listed(
    "销售 批发 零售 贸易 经销 分销 购销 经营 营销 代销 出口 进口 进出口 批零 买卖 流通 商贸 供应 外销 内销 专卖 "
    "批发业 零售业 贸易业 批零兼营 批发零售 批发和零售 进出口贸易 销售业 生产销售 加工销售 制造销售 生产与销售 "
    "生产和销售 开发销售 开发与销售 代理销售 出售 供应链 贸易流通 经营业 供货 连锁 制造与销售 制造和销售 调剂 "
    "直销 电商 零售连锁 分销业"
)
# At the beginning: what follows is made or dealt in.
MAKING_FIRST: Final = _listed(
    "生产 制造 加工 深加工 制作 研制 研发 开发 产销 种植 养殖 受托加工 委托加工 自产 生产经营 现场制售 制售"
)
TRADING_FIRST: Final = _listed(
    "销售 批发 零售 经销 购销 经营 出售 出口 进口 批发零售 采购 收购销售 代销 外购 生产销售 专营 内销 外销"
)
# At the end: what stands before is done as a service.
SERVICES: Final = _listed(
    "服务 服务业 服务业务 服务费 劳务 劳务费 服务产品 加工服务 承包 总承包 专业承包 分包 专业分包"
)
# At the beginning: a service on what follows; the firm does not bring that to the market.
SERVING: Final = _listed(
    "出租 租赁 安装 维修 修理 储存 代收 代办 代订 代客 投资 收购 回收 承运 托管 办理 对 围绕 以 申请 存放 维护 检修"
)
# At the beginning, saying nothing of the thing.
OPENINGS: Final = _listed(
    "其 及 及其 以及 和 与 或 含 包括 如 即 其他 其它 其中 各类 各种 各式 相关 有关 主营 兼营 主营业务 主要 外购 "
    "自产 自制 承接 承揽 提供 从事 国产 上述 公司 本公司 其相关 及相关 等 的 之 为 供"
)
# Names that speak of the books and not of a product.
BOOKS: Final = _listed(
    "抵销 抵消 抵减 平衡项目 调整项目 未分配 合并调整 分部间 关联交易 内部交易 营业外 未分摊 总部费用 合计 小计 "
    "总计 摊销 减值 净额 扣除"
)
BOOKS_WHOLE: Final = _listed(
    "其他 其它 主营 主营业务 其他业务 其它业务 主营业务收入 其他业务收入 其他产品 其他收入 其他主营业务 其他行业 "
    "其他项目 总部 本部 境内 境外 国内 国外 内销 外销 出口 母公司 子公司 公司 自产 外购 其他分部 其他类 其他主营 "
    "主业 副业 业务 产品 项目 分部 类 系列"
)
# Heads that say too little: a name that has no other head is not linked.
GENERIC: Final = (
    FRAMES
    | MAKING
    | TRADING
    | SERVICES
    | _listed(
        "民用 军用 数字 车用 船用 家用 商用 医用 农用 矿用 服务 设备 系统 制品 材料 技术 管理 装备 装置 器材 用品 "
        "物资 原料 原材料 辅料 辅材 主材 辅材料 体材料 物料 零部件 部件 组件 备件 附件 构件 成品 半成品 副产品 平台 "
        "方案 解决方案 应用 利用 建设 劳务 信息 数据 新材料 成套 设施 控制 动力 城市 国际 二期 一期 三期 整机 单机 "
        "套件 模块 交流 保护 防护 显示 成型 分析 集成 智能化 信息化 数字化 自动化 一体化 规划 评估 支持 中心 基地 "
        "企业 工业 商业 服务业 收益 佣金 手续费 服务费 管理费 使用费 收费 授权 活动 作业 处理 运营 营运 配套 配套件 "
        "成套件 软硬件 硬件 能量 物质 功能 结构 组合 单元 机构 产线 生产线 资源 资产 投资 体系 模式 方式 方法 工艺 "
        "过程 内容 标准 质量 价值 效果 环境 空间 市场 用户 客户 社会 生活 专业 综合 主体 对象 形式 类型 型号 规格 "
        "尺寸 外观 颜色 品质 优质 新型 高端 大型 小型 中型 智能 国内 国外 境内 境外 内贸 外贸 经济 科技 供应商 制造商 "
        "代理商 厂家 工厂 车间 人员 团队 设计师 工程师 时间 地区 地方 中国 上海 北京 深圳 广州 江苏 浙江 山东 广东 "
        "四川 天津 重庆 货品 用具 整体 系列化 二次 一级 二级 三级 成本 使用 高速 相关 移动 专用 通用 合作 推广 展示 "
        "发布 许可 转让 承包 总承包 分包 改造 接收 指挥 场地 以上 以下 责任 指标 设置 辅助 衍生 执行 后台 形象 情况 "
        "能力 水平 环节 范围 指数 门式 铜质 相应 地面 说明 主机 本体 成套设备 基础 技术服务 加工服务 增值服务 "
        "综合服务 运行 交易"
    )
)
# Before a generic word they leave it generic: 专用设备, 其他材料.
BLAND: Final = _listed(
    "专用 通用 常用 其他 其它 主要 相关 有关 各类 各种 新型 传统 普通 一般 特种 特殊 辅助 配套 成套 大型 小型 "
    "中型 微型 高端 低端 综合 专业 现代 终端 基础 核心 关键 先进 高级 工业 产业 商业 机械 新 全 总 副 主 应用 "
    "技术 单项 系列 整体 多种 不同 优质 智能 经营 产品 商品 工程"
)
# Nodes of one character that a longer name may have as its head; others end too many words that are not their kinds.
SHORT_HEADS: Final = frozenset("纸酒糖米盐煤鞋伞钢棉油板茶布漆胶膜车药肉鱼蛋")
# A class word behind a thing that it merely repeats: 输送机设备 is 输送机; by the last character of the thing.
REPEATING: Final = _listed("设备 装置 装备 系统 整机 成套设备 类设备")
THINGS: Final = frozenset("机器仪车阀泵柜枪炉窑塔箱端船表")
# Behind what is done, 工程 says no more than the doing.
DONE: Final = _listed(
    "处理 安装 施工 装修 装饰 绿化 改造 净化 布线 修复 治理 检测 维修 设计 勘察 监理 防腐 防水 加固 爆破 监测 "
    "测绘 勘测 监控 建造 总承包"
)
DOING: Final = _listed("工程 工程业务 工程服务 业务")
# The end of a name → the end that a catalogue rather has.
SAME_TAILS: Final = {
    "用药": "药品",
    "类药": "药品",
    "饮品": "饮料",
    "租金": "租赁",
    "房租": "房屋租赁",
    "机具": "机械",
    "房产": "房地产",
    "网游": "网络游戏",
    "漆": "涂料",
    "原料药": "药物",
    "磁体": "磁性材料",
    "电商": "电子商务",
    "高速": "高速公路",
    "高速路": "高速公路",
    "检验": "检测",
    "维保": "维修",
    "运维": "运行维护",
    "发电机组": "发电机",
    "汽配": "汽车配件",
    "治理": "处理",
    "处置": "处理",
}
# What is done as a head, where nothing that it is done to is found: 日用品零售 is a kind of 零售.
LAST_HEADS: Final = _listed("信息化 批发 零售 贸易 进出口 加工 研发 商贸")
# Right before a head they make another thing of it: 聚丙烯 is no 丙烯, 过硫酸钠 no 硫酸钠, 脱盐水 no 盐水.
CHANGING: Final = frozenset("溴氯氟碘硝过亚次脱去非无未反聚偏焦仿假代伪")
