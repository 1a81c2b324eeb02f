"""The main job: a region and a plan in, a finished run folder out."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from silian import __version__, tables
from silian.compute.local import Local
from silian.errors import RunError, TableError
from silian.pipeline.assignment import clash_rows
from silian.pipeline.folder import RECEIPT, WorkFolder, digest, file_digest, full_disk_told
from silian.pipeline.order import STEPS, Step, needed_for
from silian.pipeline.plan import Plan
from silian.pipeline.steps import WORK, Progress, Tables, Work
from silian.tables.schema import repair as repair_tables
from silian.tables.schema import results as result_tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from silian.compute import Runner
    from silian.tables import Region


CODE = {".py", ".csv", ".txt", ".js", ".css", ".html"}  # what the digest of silian's own code is made of


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run folder."""

    path: Path
    receipt: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path) -> Run:
        """Open a run folder.

        Raises
        ------
        RunError : run.missing if the folder is no finished run.
        """
        try:
            receipt = json.loads((path / RECEIPT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise RunError("run.missing", path=str(path), lacks=RECEIPT) from None
        return cls(path, MappingProxyType(receipt))

    def table(self, name: str) -> pl.DataFrame:
        """One result table of the run.

        Raises
        ------
        RunError : run.missing if the run did not make that table.
        """
        path = self.path / f"{name}.parquet"
        if not path.is_file():
            raise RunError("run.missing", path=str(self.path), lacks=path.name)
        return pl.read_parquet(path)


class Silent:
    """Progress that nobody watches."""

    def step(self, name: str, total: int) -> None:
        """Nothing."""

    def advance(self, units: int) -> None:
        """Nothing."""

    def doing(self, words: str) -> None:
        """Nothing."""

    def done(self, name: str, rows: int, seconds: float, *, resumed: bool) -> None:
        """Nothing."""


def run(
    region: Path,
    out: Path,
    *,
    plan: Plan | None = None,
    only: tuple[str, ...] = (),
    fresh: bool = False,
    runner: Runner | None = None,
    progress: Progress | None = None,
) -> Run:
    """Do the main job, or the steps in `only` with what they rest on, and leave a run folder.

    Parameters
    ----------
    region : folder or workbook that `tables.read_region` reads
    out : the run folder; an earlier run there is replaced whole, and only when the new one is complete
    plan : settings; None takes the default plan
    only : names of steps; empty means all steps and the report
    fresh : do every step anew; otherwise a step whose inputs, settings and code are those of the run that stands at
        `out`, or of one that was stopped there, is taken over
    runner : where blocks of needs are matched, as `compute.runner` opens it; None takes this process. It changes no
        result, so a step done elsewhere is taken over as any other.
    progress : told of every step

    Returns
    -------
    Run : the folder holds one Parquet file per result table, problems.csv, plan.toml and receipt.json; the whole
        job also report.html, results.xlsx and charts/.

    Raises
    ------
    RunError : run.grave, run.clash, run.beside, run.missing, run.busy, run.not_a_run, run.inside, run.disk.
    ReadError, PlanError and the errors of the engines.

    Notes
    -----
    The same inputs, plan and version give the same bytes in every file but the receipt, which holds the seconds and
    where it ran.
    A kill at any moment leaves the old run as it was; the next run takes over the steps that were finished.
    """
    _refuse_nested(region, out)
    with WorkFolder(out).opened() as folder:
        job = _Job(folder, plan or Plan(), runner or Local(), progress or Silent(), fresh)
        job.load(region)
        job.check(region)
        for step in needed_for(only) if only else STEPS:
            job.do(step)
        if not only:
            job.report()
        job.keep()
    return Run.open(out)


@dataclass(slots=True)
class _Job:
    """What one call of `run` holds while it works."""

    folder: WorkFolder
    plan: Plan
    runner: Runner
    progress: Progress
    fresh: bool
    region: Region = field(default_factory=lambda: tables.Region.of({}))
    name: str = ""
    on: date | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    beside: dict[str, Run] = field(default_factory=dict)  # runs of other programmes by their paths as the plan has them
    results: dict[str, pl.DataFrame] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)

    def load(self, path: Path) -> None:
        """Read the region and the digests of its files."""
        began = self._begin("load")
        self.region = tables.read_region(path)
        self.name = self.plan.report.title or path.resolve().stem
        root = path if path.is_dir() else path.parent
        names = {_file_of(root, source.file) for sources in self.region.sources.values() for source in sources}
        if self.region.geojson is not None:
            names.add("districts.geojson")
        self.inputs = {name: file_digest(root / name) for name in sorted(names)}
        once = {Path(path).resolve(): path for path in reversed(self.plan.allocate.beside)}  # each run counts once
        self.beside = {path: self._beside(Path(path)) for path in reversed(once.values())}
        rows = {name: table.height for name, table in self.region.tables.items() if table.height}
        self._end("load", began, rows)

    def check(self, path: Path) -> None:
        """Find what is wrong; grave problems stop the run, other rows are left out or listed."""
        began = self._begin("check")
        self.on = self.plan.day or self.region["needs"]["posted_on"].max()  # type: ignore[assignment]
        problems = tables.check(self.region, on=self.plan.day)
        grave = problems.filter("grave" if self.plan.check.drop else pl.lit(value=True))
        if grave.height:
            listed = self._note("problems")
            with full_disk_told(listed):
                listed.write_bytes(tables.to_csv(problems, result_tables()["problems"]))
            shown = "; ".join(f"{r['file']}:{r['row'] or ''} {r['code']}" for r in grave.head(3).to_dicts())
            raise RunError(
                "run.grave", problems=problems, count=grave.height, region=str(path), shown=shown, listed=str(listed)
            )
        self.results["problems"] = problems
        self.region = tables.drop_problem_rows(self.region, problems)
        self.kept |= {self.folder.write_table("problems", problems)}
        self._end("check", began, {"problems": problems.height})

    def do(self, step: Step) -> None:
        """Do one step, or take it over when it was finished under the same key."""
        plan = self.plan.moved(lambda _: "").as_dict()  # what lies at a path counts, not where that is
        sections: dict[str, Any] = {name: plan[name] for name in step.sections}
        if step.name == "allocate":
            sections |= {"beside": list(self._beside_inputs().values())}
        key = digest(_code(), self.inputs, self.on, self.plan.seed, step.name, sections, self._after(step.after))
        self.keys[step.name] = key
        began = self._begin(step.name)
        resumed = not self.fresh and self.folder.finished(step.name, key)
        if resumed:
            given = {name: self.folder.read_table(name) for name in step.gives}
        else:
            given = self._given(step)
            given = {name: _promised(name, given[name]) for name in step.gives}
            files_ = [self.folder.write_table(name, table) for name, table in given.items()]
            self.folder.finish(step.name, key, files=files_)
        self.results |= given
        self.kept |= {f"{name}.parquet" for name in given}
        self._end(step.name, began, {n: t.height for n, t in given.items()}, resumed=resumed, key=key)

    def _given(self, step: Step) -> Tables:
        """The tables of a step; where rules clash, a file beside the run tells which."""
        try:
            return WORK[step.name](self._work(step.name))
        except TableError as error:
            if error.code != "allocate.clash":
                raise
            rows, listed = clash_rows(error), self._note("clash")
            with full_disk_told(listed):
                listed.write_bytes(tables.to_csv(rows, repair_tables()["clash"]))
            raise RunError("run.clash", problems=rows, listed=str(listed)) from error

    def report(self) -> None:
        """Write the page, the workbook and the charts."""
        from silian.report import charts, page, sheets

        language = self.plan.report.language
        began = self._begin("report")
        specs = charts.all_charts(self.region, self.results, language=language)
        self.progress.step("report", 2 + 2 * len(specs) * self.plan.report.charts)
        page_text = page.page(self.region, self.results, receipt=self._facts())
        self.kept.add(self.folder.write_bytes("report.html", page_text.encode()))
        self.progress.advance(1)
        with full_disk_told(self.folder.path / "results.xlsx"):
            sheets.sheets(self.results, self.folder.path / "results.xlsx", region=self.region, language=language)
        self.kept.add("results.xlsx")
        self.progress.advance(1)
        if self.plan.report.charts:
            self._draw(specs)
        self._end("report", began, {"charts": len(specs)})

    def keep(self) -> None:
        """Write plan and receipt, then let the folder appear."""
        problems = tables.to_csv(self.results["problems"], result_tables()["problems"])
        self.kept.add(self.folder.write_bytes("problems.csv", problems))
        self.kept.add(self.folder.write_bytes("plan.toml", self._plan_there().encode()))
        made = {name: file_digest(self.folder.path / name) for name in sorted(self.kept)}
        ran = {"where": self.runner.name, "machines": self.runner.machines, "workers": self.runner.workers}
        receipt = self._facts() | {"ran": ran, "steps": self.steps, "files": made}
        text = json.dumps(receipt, ensure_ascii=False, indent=1, default=str)
        self.folder.write_bytes(RECEIPT, text.encode())
        self.folder.appear(self.kept | {RECEIPT})
        for name in ("problems", "clash"):  # of an earlier run that was stopped
            self._note(name).unlink(missing_ok=True)

    def _beside(self, path: Path) -> Run:
        """A finished run of another programme."""
        if path.resolve() == self.folder.out.resolve():
            raise RunError("run.beside", out=str(self.folder.out))
        return Run.open(path)

    def _beside_inputs(self) -> dict[str, str]:
        """The digests of the files of other programmes that count."""
        names = [f"{name}.parquet" for name in ("assigned", "contacts", "same", "same_people")]
        return {
            f"{path}/{name}": file_digest(run.path / name)
            for path, run in self.beside.items()
            for name in names
            if (run.path / name).is_file()  # what is missing is told when it is read
        }

    def _plan_there(self) -> str:
        """The plan as a file of the run folder, with the paths in it as they are seen from there."""
        out = self.folder.out.resolve()
        return self.plan.moved(lambda path: Path(os.path.relpath(Path(path).resolve(), out)).as_posix()).to_toml()

    def _note(self, name: str) -> Path:
        """Where a run that stops leaves what has to be corrected: beside the folder that it would have become."""
        return self.folder.out.with_name(f"{self.folder.out.name}.{name}.csv")

    def _draw(self, specs: Mapping[str, dict[str, Any]]) -> None:
        from silian.report.render import render

        for name, spec in specs.items():
            text = json.dumps(spec, ensure_ascii=False, indent=1)
            self.kept.add(self.folder.write_bytes(f"charts/{name}.vl.json", text.encode()))
            self.kept.add(self.folder.write_bytes(f"charts/{name}.svg", render(spec, "svg")))
            self.progress.advance(1)
            self.kept.add(self.folder.write_bytes(f"charts/{name}.png", render(spec, "png")))
            self.progress.advance(1)

    def _facts(self) -> dict[str, Any]:
        """What the page may say of the run: everything of the receipt that is the same for the same inputs."""
        steps = [{"name": step["name"], "rows": step["rows"]} for step in self.steps]
        return {
            "silian": __version__,
            "code": _code(),
            "region": self.name,
            "on": str(self.on) if self.on else "",
            "seed": self.plan.seed,
            "plan": self.plan.as_dict(),
            "inputs": self.inputs | self._beside_inputs(),
            "steps": steps,
        }

    def _work(self, name: str) -> Work:
        return Work(
            region=self.region,
            plan=self.plan,
            on=self.on,
            results=MappingProxyType(self.results),
            runner=self.runner,
            step=lambda total: self.progress.step(name, total),
            advance=self.progress.advance,
            doing=self.progress.doing,
            beside=tuple(self.beside.values()),
        )

    def _after(self, names: tuple[str, ...]) -> list[str]:
        return [self.keys[name] for name in names]

    def _begin(self, name: str) -> float:
        self.progress.step(name, 0)
        return time.perf_counter()

    def _end(
        self, name: str, began: float, rows: Mapping[str, int], *, resumed: bool = False, key: str | None = None
    ) -> None:
        seconds = round(time.perf_counter() - began, 3)
        self.steps.append({"name": name, "rows": dict(rows), "seconds": seconds, "resumed": resumed, "key": key})
        self.progress.done(name, sum(rows.values()), seconds, resumed=resumed)


def _promised(name: str, table: pl.DataFrame) -> pl.DataFrame:
    """The table with exactly the columns and types that the schema of results promises."""
    return table.select(pl.col(column).cast(kind) for column, kind in result_tables()[name].polars.items())


def _file_of(root: Path, source: str) -> str:
    """The file that a source lies in: what stands before the # of its sheet, where it has one."""
    parts = source.split("#")
    names = ("#".join(parts[:n]) for n in range(1, len(parts) + 1))
    return next((name for name in names if (root / name).is_file()), source)


def _refuse_nested(region: Path, out: Path) -> None:
    inner, outer = out.resolve(), region.resolve()
    if inner == outer or inner in outer.parents or outer in inner.parents:
        raise RunError("run.inside", out=str(out), region=str(region))


@cache
def _code() -> str:
    """Digest of silian's own source: a step is never taken over from other code."""
    root = Path(str(files("silian")))
    sources = sorted(path for path in root.rglob("*") if path.suffix in CODE and "tests" not in path.parts)
    return digest([(path.relative_to(root).as_posix(), file_digest(path)) for path in sources])[:16]
