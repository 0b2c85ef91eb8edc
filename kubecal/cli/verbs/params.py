"""Verbs about a chip's parameters."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from kubecal.cli.declaring import LOOK, Group, ProjectOption, verb, verbs
from kubecal.cli.form import Form, FormOption
from kubecal.cli.place import Place

_NOW = "now"
_HELP = "Calibrated parameters: now, earlier, set, as a file."


class Params(Group):
    """``kubecal params CHIP`` is ``kubecal params now CHIP``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # Any: typer keeps these classes to itself
        """A first word that is no verb is a chip."""
        known = args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else [_NOW, *args])


app = verbs()
params = verbs(_HELP, Params)
app.add_typer(params, name="params", rich_help_panel=LOOK)

ChipArgument = Annotated[str, typer.Argument(metavar="CHIP", help="Name of a chip.", show_default=False)]


class FileForm(StrEnum):
    """How parameters are written to a file."""

    YAML = "yaml"
    JSON = "json"


@verb(params, name=_NOW)
def now(
    place: Place,
    chip: ChipArgument,
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="Id of a qubit or coupling; default: all.", show_default=False)
    ] = "",
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Of parameters; default: all.", show_default=False)
    ] = None,
    output: FormOption = Form.TABLE,
    project: ProjectOption = "default",
) -> None:
    """Show current values; also without the word now."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.parameters import ParamsAsked, show_parameters

    asked = ParamsAsked(chip, place, project, target, names or ())
    raise typer.Exit(carry_out(place, output, lambda lab, screen: show_parameters(lab, screen, asked)))


@verb(params)
def history(
    place: Place,
    chip: ChipArgument,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Id of a qubit or coupling.", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of a parameter.", show_default=False)],
    output: FormOption = Form.TABLE,
    limit: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="Most values.")] = 1_000,
    project: ProjectOption = "default",
) -> None:
    """Show every value that one parameter ever had."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.parameters import ParamsAsked, show_history

    asked = ParamsAsked(chip, place, project, target, (name,))
    raise typer.Exit(carry_out(place, output, lambda lab, screen: show_history(lab, screen, asked, limit)))


_MOMENT = "An execution (when it had ended), or a moment: 2026-11-24, 2026-11-24T09:30 (UTC), 2d (ago), now."


@verb(params)
def diff(
    place: Place,
    chip: ChipArgument,
    before: Annotated[str, typer.Argument(metavar="BEFORE", help=_MOMENT, show_default=False)],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="As BEFORE.")] = "now",
    target: Annotated[str, typer.Option(metavar="ID", help="Only of this qubit or coupling.")] = "",
    name: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this parameter; may be repeated.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also what has not changed.")] = False,
    output: FormOption = Form.TABLE,
    project: ProjectOption = "default",
) -> None:
    """Show what has changed, in sigmas, the most remarkable first."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.parameters import ParamsAsked, show_difference

    asked = ParamsAsked(chip, place, project, target, name or ())
    raise typer.Exit(
        carry_out(place, output, lambda lab, screen: show_difference(lab, screen, asked, before, after, every=every))
    )


@verb(params)
def export(
    place: Place,
    chip: ChipArgument,
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="Id of a qubit or coupling; default: all.", show_default=False)
    ] = "",
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Of parameters; default: all.", show_default=False)
    ] = None,
    at: Annotated[str, typer.Option(metavar="MOMENT", help=_MOMENT)] = "now",
    output: Annotated[FileForm, typer.Option("--output", "-o", help="How to write them.")] = FileForm.YAML,
    project: ProjectOption = "default",
) -> None:
    """Print values as kubecal params import takes them."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.parameters import ParamsAsked, export_parameters

    asked = ParamsAsked(chip, place, project, target, names or ())
    form = Form(output.value)
    raise typer.Exit(carry_out(place, form, lambda lab, screen: export_parameters(lab, screen, asked, at)))
