"""The report as a person meets it: opened from a file in a real Chromium, without a network."""

import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from silian.report.page import page
from silian.report.tests import small
from silian.tables.region import Region

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium here: scripts/system-packages browser"),
]
expect.set_options(timeout=20_000)  # the other tests run beside
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The pages under test, by name."""
    folder = tmp_path_factory.mktemp("pages")
    full = (small.region(), small.results())
    hostile = small.region(title=small.HOSTILE)
    evil = small.results() | {
        "problems": small.results()["problems"].with_columns(found=pl.lit(small.HOSTILE), file=pl.lit(small.HOSTILE)),
    }
    ungraded = (small.region(), small.results() | {"grades": small.nothing()["grades"]})
    ruled = (small.region(), small.results() | small.ruled())
    plain = (small.region(), small.results() | small.even())
    runs = {
        "full": full, "ungraded": ungraded, "hostile": (hostile, evil), "ruled": ruled, "plain": plain,
        "empty": (Region.of({}), small.nothing()),
    }  # fmt: skip
    for name, (region, results) in runs.items():
        receipt = small.receipt() | {"plan": {"allocate": {"curve": 0 if name == "plain" else 4}}}
        (folder / f"{name}.html").write_text(page(region, results, receipt=receipt), encoding="utf-8")
    return folder


class Reader:
    """A person with a browser: what they see, and whether anything went wrong behind it."""

    def __init__(self, chromium, folder: Path, *, width: int = 1440, scheme: str = "light") -> None:
        self.context = chromium.new_context(
            viewport={"width": width, "height": 1000},
            color_scheme=scheme,
            reduced_motion="reduce",
            accept_downloads=True,
        )
        self.page = self.context.new_page()
        self.folder = folder
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, name: str, part: str = ""):
        self.page.goto((self.folder / f"{name}.html").as_uri() + part)
        self.page.wait_for_selector("html[data-ready=yes]", timeout=20_000)
        return self.page

    def scroll_through(self) -> None:
        """To every picture, until it is drawn: a picture is drawn when it comes into view."""
        for chart in self.page.locator(".chart").all():
            chart.scroll_into_view_if_needed()
            chart.locator("svg").first.wait_for(state="attached")

    def download(self, button) -> str:
        with self.page.expect_download() as waiting:
            button.click()
        return Path(waiting.value.path()).read_bytes().decode("utf-8")


@pytest.fixture
def reader(chromium, files, request):
    who = Reader(chromium, files, **getattr(request, "param", {}))
    yield who
    who.context.close()
    assert who.faults == []  # no script error, no breach of the content security policy, no warning
    assert [url for url in who.requests if not url.startswith(("file:", "blob:"))] == []
    assert len({url.partition("#")[0] for url in who.requests if url.startswith("file:")}) <= 1


def test_the_page_makes_no_request_and_draws_every_picture(reader):
    shown = reader.open("full")

    reader.scroll_through()

    assert shown.locator(".chart svg").count() == 15


@pytest.mark.parametrize("reader", [{}, {"width": 768}, {"width": 390, "scheme": "dark"}], indirect=True)
@pytest.mark.parametrize("name", ["full", "empty"])
def test_the_page_has_no_fault_that_axe_finds(reader, name):
    shown = reader.open(name)
    if reader.page.viewport_size["width"] == 390:
        shown.get_by_role("button", name="English").click()
    reader.scroll_through()

    found = Axe().run(shown, options={"runOnly": {"type": "tag", "values": RULES}}).response["violations"]

    assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found] == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= reader.page.viewport_size["width"]


@pytest.mark.parametrize("reader", [{"width": 390}, {"width": 768}], indirect=True)
def test_no_word_of_a_picture_is_cut_off_on_a_narrow_page(reader):
    shown = reader.open("full")
    shown.get_by_role("button", name="English").click()
    reader.scroll_through()

    cut = shown.evaluate(
        """[...document.querySelectorAll('.chart:not([tabindex])')].flatMap(chart => {
             const frame = chart.getBoundingClientRect(), bit = 4;  // the box of a letter is wider than its ink
             return [...chart.querySelectorAll('text')].filter(n => n.textContent).filter(n => {
               const box = n.getBoundingClientRect();
               return box.right > frame.right + bit || box.left < frame.left - bit;
             }).map(n => n.textContent);
           })"""
    )
    assert cut == []


def test_the_axis_of_a_small_count_says_no_number_twice(reader):
    shown = reader.open("full", "#unmet")
    reader.scroll_through()

    axes = shown.evaluate(
        """[...document.querySelectorAll('.chart .role-axis-label')]
             .map(axis => [...axis.querySelectorAll('text')].map(n => n.textContent).filter(Boolean))"""
    )
    assert axes
    assert [axis for axis in axes if len(set(axis)) < len(axis)] == []


def test_the_switch_changes_every_text_and_is_remembered(reader):
    shown = reader.open("full")
    expect(shown.get_by_role("heading", name="需求匹配")).to_be_visible()

    shown.get_by_role("button", name="English").click()

    expect(shown.get_by_role("heading", name="Matches")).to_be_visible()
    expect(shown.locator("html")).to_have_attribute("lang", "en")
    reader.scroll_through()
    left = shown.evaluate(
        """[...document.querySelectorAll('[data-t], h3, th, button, label span, .chart text')]
             .filter(n => n.checkVisibility()).map(n => n.textContent).filter(s => /[\\u4e00-\\u9fff]/.test(s))"""
    )
    names = {
        "中文",
        "示例市",
        "动力电池",
        "铜箔",
        "极片",
        "电芯",
        "圆柱电芯",
        "隔膜",
        "1. 极片",
        "1. 电池涂布厚度检测",
        "2. 激光焊缝气孔在线检测",
        "李敏",
        "李敏 e2",
        "张强 e3",
        "激光焊缝气孔在线检测",
    }
    assert set(left) - names == set()
    reader.open("full")
    expect(shown.get_by_role("heading", name="Matches")).to_be_visible()


def test_the_theme_follows_the_system_until_the_reader_chooses(chromium, files):
    reader = Reader(chromium, files, scheme="dark")
    shown = reader.open("full")
    expect(shown.locator("html")).to_have_attribute("data-theme", "dark")

    shown.get_by_role("button", name="浅色").click()
    expect(shown.locator("html")).to_have_attribute("data-theme", "light")
    shown.wait_for_function("localStorage.getItem('silian.theme') === 'light'")
    shown.wait_for_timeout(500)  # Chromium hands what is stored from the page to the browser a little later

    reader.open("full")
    expect(shown.locator("html")).to_have_attribute("data-theme", "light")
    reader.context.close()


def test_a_need_shows_what_answers_it_and_why(reader):
    shown = reader.open("full", "#matches/n1")

    detail = shown.get_by_role("article", name="所选需求")
    expect(detail.get_by_role("heading", name="激光焊缝气孔在线检测")).to_be_visible()
    assert detail.locator(".hits li .what").all_inner_texts() == ["焊缝气孔视觉检测装置", "涂布厚度激光测量"]
    first = detail.locator(".hits > li").first
    expect(first.get_by_role("img", name="得分")).to_have_attribute(
        "aria-label", "得分 0.80，其中 气孔 0.40，语义接近 0.30，其余 0.10"
    )
    assert first.locator(".parts li").all_inner_texts() == ["气孔\n0.40", "语义接近\n0.30", "其余\n0.10"]
    first.get_by_text("成果简介与共有词语").click()
    expect(first.locator("details mark")).to_have_text(["气孔"])
    assert "气孔" in detail.locator(".prose mark").all_inner_texts()


def test_a_match_shows_its_level_beside_its_score_and_tells_the_chances(reader):
    shown = reader.open("full", "#matches/n1")

    hits = shown.locator("[data-part=matches] .hits > li")
    assert hits.locator(".score").all_inner_texts() == ["0.80\n强", "0.20\n不匹配"]
    told = "预计匹配等级：强（不匹配 5%，弱 10%，较强 25%，强 60%）"
    grade = hits.first.locator(".grade")
    expect(grade).to_have_attribute("aria-label", told)
    expect(grade).to_have_attribute("title", told)
    heights = [float(c.get_attribute("height")) for c in grade.locator("rect").all()]
    assert heights == sorted(heights)  # the chances rise from no match to strong
    assert [r.get_attribute("class") for r in grade.locator("rect").all()] == ["other"] * 3 + ["own"]
    shown.get_by_role("button", name="English").click()
    expect(grade).to_have_attribute(
        "aria-label", "Level expected: Strong (No match 5%, Weak 10%, Fairly strong 25%, Strong 60%)"
    )
    text = reader.download(shown.get_by_role("button", name="Download these matches"))
    assert text.splitlines()[1].startswith(
        "n1,激光焊缝气孔在线检测,Achievements,a1,焊缝气孔视觉检测装置,1,0.8,Strong,0.05,0.1,0.25,0.6,"
    )


def test_a_run_without_labels_says_nothing_of_levels(reader):
    shown = reader.open("ungraded", "#matches/n1")

    assert shown.locator("[data-part=matches] .hits .score").all_inner_texts() == ["0.80", "0.20"]
    assert shown.locator(".grade").count() == 0
    expect(shown.locator("#made")).to_contain_text("匹配得分")
    expect(shown.locator("#made")).not_to_contain_text("匹配等级")
    text = reader.download(shown.get_by_role("button", name="下载所列匹配"))
    assert text.splitlines()[0] == "\ufeff需求编号,需求名称,类别,编号,名称,名次,得分,得分构成"


def test_an_expert_shows_the_works_that_share_most_and_whether_assigned(reader):
    shown = reader.open("full", "#matches/n1")

    shown.get_by_role("tab", name="专家 2").click()

    hits = shown.locator("[data-part=matches] .hits > li")
    assert hits.locator(".what").all_inner_texts() == ["王伟", "李敏"]
    expect(hits.nth(1).get_by_text("已指派")).to_be_visible()
    hits.first.get_by_text("专长与代表业绩").click()
    expect(hits.first.locator(".works li").first).to_contain_text("激光焊缝气孔的形成机理")


def test_the_keyboard_reaches_a_need_and_turns_its_tabs(reader):
    shown = reader.open("full")
    shown.get_by_role("searchbox").first.focus()

    shown.keyboard.type("涂布")
    expect(shown.locator("[data-part=matches] .count")).to_have_text("显示 1 项，共 4 项需求")
    shown.locator(".list a").first.focus()
    shown.keyboard.press("Enter")
    expect(shown.locator(".detail h3").first).to_have_text("电池涂布厚度检测")
    shown.get_by_role("tab", name="成果 1").focus()
    shown.keyboard.press("ArrowRight")

    expect(shown.get_by_role("tab", name="专家 1")).to_be_focused()
    expect(shown.get_by_text("因利益冲突回避：王伟（任职）")).to_be_visible()


@pytest.mark.parametrize(
    ("card", "section", "first"),
    [
        ("有匹配成果的需求", "matches", "激光焊缝气孔在线检测"),
        ("已派专家", "serves", "传感器标定"),
        ("尚缺专家的需求", "unmet", "电池涂布厚度检测"),
        ("产业链缺口", "chain", "极片"),
        ("已回避的利益冲突", "serves", "王伟"),
        ("数据问题", "problems", "check.grave"),
    ],
)
def test_a_headline_number_opens_its_list(reader, card, section, first):
    shown = reader.open("full")

    shown.locator(".headline a", has_text=card).click()

    expect(shown.locator(f"#{section}").get_by_text(first).first).to_be_visible()
    shown.wait_for_function(f"document.getElementById('{section}').getBoundingClientRect().top < 900")


def test_the_worst_served_needs_say_why_and_open_their_need(reader):
    shown = reader.open("full", "#fairness")
    worst = shown.locator("#fairness .hits > li")

    assert worst.locator(".what").all_inner_texts() == ["电池涂布厚度检测", "激光焊缝气孔在线检测"]
    assert worst.locator(".score").all_inner_texts() == ["75%", "86%"]
    expect(worst.first).to_contain_text("所需 2 位，已派 1 位；得分 0.30，单独可得 0.40，达成率 75%。")
    expect(worst.first).to_contain_text("匹配的专家中 1 位有利益冲突")
    expect(worst.nth(1)).to_contain_text("王伟 0.70 仍有名额（0/2），但规则不允许")
    worst.first.locator(".what a").click()

    expect(shown.get_by_role("article", name="所选需求").locator("h3")).to_have_text("电池涂布厚度检测")


def test_a_bar_of_the_worst_served_opens_its_need(reader):
    shown = reader.open("full", "#fairness")
    reader.scroll_through()

    shown.locator("#fairness .chart").first.locator(".mark-rect path").last.click()

    expect(shown.get_by_role("article", name="所选需求").locator("h3")).to_have_text("激光焊缝气孔在线检测")


def test_the_price_of_fairness_is_one_sentence_and_a_table(reader):
    shown = reader.open("full", "#fairness")

    expect(shown.locator("#fairness")).to_contain_text("使得分最低的需求从 0.30 提高到 0.40，总得分减少 3.2%（0.05）。")
    figure = shown.locator("figure", has_text="公平的代价")
    figure.get_by_role("button", name="表").click()
    assert [row.split("\t") for row in figure.locator("tbody tr").all_inner_texts()] == [
        ["0.00", "1.55", "1.55", "0", "0%", "本次运行"],
        ["0.30", "1.55", "1.55", "0", "0%", "–"],
        ["0.40", "1.5", "1.52", "0.05", "3.2%", "–"],
    ]


def test_a_plan_without_the_curve_says_how_to_get_it(reader):
    shown = reader.open("plain", "#fairness")

    expect(shown.locator("#fairness")).to_contain_text("allocate.curve = 0")
    expect(shown.locator("#fairness")).to_contain_text("每项需求都得到了它单独可得的最好专家。")


def test_an_unmet_need_tells_every_reason_with_its_rule_and_limit(reader):
    shown = reader.open("ruled", "#matches/n2")
    told = shown.locator("[data-part=matches] .told-box li")

    assert told.all_inner_texts() == [
        "匹配的专家中 3 位已无名额",
        "规则“同一企业的人次上限”已满（上限 1，华泰激光有限公司），匹配的专家中 2 位因此不能到位",
        "规则“<b>每区</b>”已满（上限 2.5，东湖区，激光与增材制造），匹配的专家中 1 位因此不能到位",
        "匹配的专家中 1 位不得与已派的张强同组",
        "匹配的专家中 1 位已被否决",
        "匹配的专家中 1 位有利益冲突",
    ]
    shown.get_by_role("button", name="English").click()
    expect(told.nth(3)).to_have_text("May not serve beside 张强, who serves it already: 1 of those who matched")
    text = reader.download(shown.locator("#unmet .grid").get_by_role("button", name="Download CSV"))
    assert "limit 2.5, Donghu, Laser" in text


def test_the_proof_tells_the_gap_and_the_floor_in_words(reader):
    shown = reader.open("ruled", "#serves")

    assert shown.locator(".proof li").all_inner_texts() == [
        "先使最低得分尽量高：3 项可同时得到服务的需求得分均不低于 0.30；任何指派都不能使它们都高于 0.35。",
        "总得分 1.55；已证明任何指派都不超过 1.56，至多再高 0.01（0.64%）。",
        "有的需求没有得到专家。 查看服务最差的需求",
    ]


def test_an_expert_shows_the_needs_they_serve_and_who_serves_beside(reader):
    shown = reader.open("full", "#serves=experts/e2")
    detail = shown.get_by_role("article", name="所选专家或单位")

    expect(detail.get_by_role("heading", name="李敏")).to_be_visible()
    assert detail.locator(".what").all_inner_texts() == ["激光焊缝气孔在线检测", "传感器标定"]
    expect(detail).to_contain_text("2 / 2")
    expect(detail).to_contain_text("再多一个名额可使总得分增加 0.10。")
    detail.get_by_role("link", name="华泰激光有限公司").first.click()

    expect(detail.get_by_role("heading", name="华泰激光有限公司")).to_be_visible()
    # o3 is the same body as o1
    assert detail.locator(".what").all_inner_texts() == ["激光焊缝气孔在线检测", "电池涂布厚度检测", "传感器标定"]
    assert detail.locator(".people a").all_inner_texts() == ["李敏", "张强", "李敏"]


def test_who_serves_whom_is_searched_by_the_needs_of_the_other_side_with_the_keyboard(reader):
    shown = reader.open("full", "#serves")
    box = shown.locator("[id='serves/who']")

    box.get_by_role("searchbox").focus()
    shown.keyboard.type("涂布")
    expect(box.locator(".count")).to_have_text("显示 1 位，共 3 位专家")
    box.locator(".list a").first.focus()
    shown.keyboard.press("Enter")
    expect(box.locator(".detail h3")).to_have_text("张强")
    box.get_by_role("button", name="需求单位").press("Enter")

    expect(box.locator(".count")).to_have_text("显示 1 家，共 2 家需求单位")
    expect(box.locator(".detail h3")).to_have_text("华泰激光有限公司")


def test_filters_narrow_the_needs(reader):
    shown = reader.open("full", "#matches=unmatched")
    part = shown.locator("[data-part=matches]")

    assert shown.locator(".list .name").first.inner_text() == "食品保鲜"
    expect(shown.locator("[data-part=matches] .count")).to_have_text("显示 1 项，共 4 项需求")
    part.get_by_role("combobox", name="状态").select_option("")
    part.get_by_role("combobox", name="区县").select_option("d2")
    assert shown.locator("[data-part=matches] .list .name").all_inner_texts() == ["传感器标定"]


def test_a_gap_shows_its_evidence_and_who_could_fill_it(reader):
    shown = reader.open("full", "#chain/p2")

    detail = shown.get_by_role("article", name="所选缺口")
    expect(detail.get_by_role("heading", name="极片")).to_be_visible()
    text = detail.inner_text()
    for said in ("本地 2 家", "铜箔", "电芯", "电池涂布厚度检测", "华泰激光有限公司", "涂布厚度激光测量", "张强"):
        assert said in text


def test_every_picture_has_its_table_and_csv(reader):
    shown = reader.open("full")
    figure = shown.locator("figure", has_text="各技术领域的需求数")

    figure.get_by_role("button", name="表").click()

    rows = [row.split("\t") for row in figure.locator("tbody tr").all_inner_texts()]
    assert rows == [
        ["未注明", "1", "0", "1"],
        ["动力与储能电池", "1", "1", "0"],
        ["激光与增材制造", "1", "1", "0"],
        ["传感器与仪器仪表", "1", "1", "0"],
    ]
    text = reader.download(figure.get_by_role("button", name="CSV", exact=False).first)
    assert text.startswith("\ufeff领域,需求数,有匹配成果,尚无匹配成果\r\n未注明,1,0,1\r\n")


def test_a_csv_holds_no_formula(reader):
    shown = reader.open("full", "#problems")

    grid = shown.locator(".grid", has_text="逐行列出")
    text = reader.download(grid.get_by_role("button", name="下载 CSV"))

    assert ",'=1+1," in text
    assert ",'-3," in text
    assert re.search(r"^needs,needs\.csv,5,", text, re.MULTILINE)


def test_a_table_sorts_by_its_headings(reader):
    shown = reader.open("full", "#serves")
    grid = shown.locator(".grid", has_text="专家负荷").first

    grid.get_by_role("button", name="可承接").click()

    expect(grid.locator("th", has_text="可承接")).to_have_attribute("aria-sort", "descending")
    assert [row.split("\t")[-2] for row in grid.locator("tbody tr").all_inner_texts()] == ["2", "2", "1"]
    expect(grid.get_by_role("button", name="可承接")).to_be_focused()


def test_hostile_texts_are_shown_and_nothing_of_them_runs(reader):
    shown = reader.open("hostile", "#matches/n1")
    reader.scroll_through()

    assert shown.evaluate("window.hurt") is None
    assert shown.locator(".detail h3").first.text_content() == small.HOSTILE
    assert shown.locator("img").count() == 0


def test_an_empty_run_says_what_is_missing_and_how_to_add_it(reader):
    shown = reader.open("empty")

    said = shown.locator("main").inner_text()
    for file in ("needs.csv", "experts.csv", "products.csv", "districts.csv"):
        assert file in said
    assert "未发现数据问题" in said


def test_the_page_prints_without_its_controls(reader):
    shown = reader.open("full")
    reader.scroll_through()

    shown.emulate_media(media="print")

    expect(shown.locator(".top")).to_be_hidden()
    expect(shown.locator(".side")).to_be_hidden()
    expect(shown.locator(".chart svg").first).to_be_visible()
    expect(shown.locator(".detail").first).to_be_visible()
