"""``viner serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from viner.cli.options import FILE, MODEL_DECIDES, address_options, least_score_option, provider_option, rules_option
from viner.cli.projects import find_project, require_app
from viner.errors import UsageError

LOGS = ("json", "text")


@click.command(short_help="Open the page of a project, or of a model alone.")
@click.argument("model", required=False)
@click.option("--project", "-p", type=FILE, metavar="DIR", help="Project folder: annotate, train and recognize.")
@click.option(
    "--feedback",
    type=FILE,
    metavar="DIR",
    help="Let visitors flag answers of MODEL as wrong, and keep these in DIR.  [env: VINER_FEEDBACK]",
)
@click.option(
    "--api-keys",
    metavar="FILE",
    help="Ask for one of these keys (viner keys) before the REST API answers; then MODEL has no page.  [env: VINER_API_KEYS]",
)
@click.option(
    "--log", type=click.Choice(LOGS), help="A line on stderr about each request, never with a text.  [env: VINER_LOG]"
)
@click.option("--no-page", is_flag=True, help="Serve the REST API of MODEL alone, in less memory.  [env: VINER_NO_PAGE]")
@rules_option
@least_score_option(MODEL_DECIDES)
@provider_option
@address_options
def serve(
    model: str | None,
    project: Path | None,
    feedback: Path | None,
    api_keys: str | None,
    log: str | None,
    no_page: bool,
    rules: Path | Literal[False] | None,
    least_score: float | None,
    provider: str | None,
    host: str | None,
    port: int | None,
    no_browser: bool,
) -> None:
    """Open the page and the REST API of MODEL, or with --project the workbench of a project. Nothing is sent anywhere.

    In a project folder, `viner serve` alone opens its workbench. Without accounts it listens on this machine only;
    `viner accounts add` lets a team in.

    With --feedback, the page of MODEL says that it collects, and shows what is kept before anything is sent. Visitors can erase
    what they sent; `viner import DIR/feedback.jsonl` takes the rest into a project.

    With --api-keys, programs need a key, and MODEL has no page. In a project a key is a way in for programs, beside accounts.

    \b
    Example:
      viner serve --project covid
      viner serve models/003
      viner serve models/003 --port 8000 --no-browser
      viner serve models/003 --feedback flagged
      viner serve models/003 --rules rules.toml
      viner serve models/003 --api-keys keys.txt --log json
      viner serve models/003 --no-page
    """
    open_browser = False if no_browser else None
    if model is not None:
        if project is not None:
            raise UsageError("MODEL and --project exclude each other", hint="A project serves its active model")
        import viner
        from viner.server import check_address, check_feedback, check_keys
        from viner.server import serve as run_server

        check_address(host, port)
        check_feedback(feedback)
        check_keys(api_keys)
        run_server(
            viner.load(model, provider=provider, rules=rules, least_score=least_score),
            host=host,
            port=port,
            open_browser=open_browser,
            feedback=feedback,
            api_keys=api_keys,
            log=log,
            page=False if no_page else None,
        )
        return
    if no_page:
        raise UsageError("--no-page goes with a MODEL", hint="A project is worked on in its page; programs use its REST API")
    if feedback is not None:
        raise UsageError(
            "--feedback goes with a MODEL", hint="In a project, who sees a wrong answer corrects it on the page Annotate"
        )
    if rules is not None:
        raise UsageError(
            f"{'--rules' if rules else '--no-rules'} goes with a MODEL",
            hint="The workbench takes the rules of its viner.toml, and follows it; there, recognize says what each does",
        )
    if least_score is not None:
        raise UsageError("--least-score goes with a MODEL", hint="The workbench suggests all that its model finds")
    if provider is not None:
        raise UsageError("--provider goes with a MODEL", hint="For the workbench, set VINER_PROVIDER")
    folder = find_project(project)
    require_app("the workbench")
    from viner.server import check_address, check_keys, serve_studio
    from viner.studio import Studio

    check_address(host, port)
    check_keys(api_keys)
    with Studio.open(folder) as studio:
        serve_studio(studio, host=host, port=port, open_browser=open_browser, api_keys=api_keys, log=log)
