"""The command line of the demo, its exit status, and Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from tests.cluster.errors import ClusterError
from tests.cluster.levels import Level
from tests.demo.closing import closing, where_to_look_next
from tests.demo.scene import Nodes, a_scene
from tests.demo.showing import LOG_WIDTH, showing
from tests.demo.stage import Wishes, end_once
from tests.demo.story import Story

SECONDS = 116.0
"""Every schedule comes round at least once more, and this is a moment at which no run is in progress."""

INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the demo; return the exit status."""
    options = _parser().parse_args(arguments)
    console = a_console()
    end_once()
    try:
        return play(options, console)
    except (ClusterError, RuntimeError) as error:
        console.print(f"error: {error}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted; nothing of the demo is left.")
        return INTERRUPTED


def a_console() -> Console:
    """Give the console that everything is told on."""
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=LOG_WIDTH)


def play(options: argparse.Namespace, console: Console) -> int:
    """Set the scene, tell the story, show the ledgers."""
    wishes = Wishes(name=options.name, level=options.level, keep=options.keep)

    def say(sentence: str) -> None:
        console.print(sentence)

    with a_scene(wishes, say) as scene:
        story = Story(scene, options.seconds, title_of(scene.nodes))
        with showing(console) as shown:
            ending = story.tell(shown)
        console.print(closing(ending))
        if not ending.is_good:
            console.print(f"\nSomething went wrong. {scene.log_tail()}", soft_wrap=True)
        console.print(where_to_look_next(scene.kept if options.keep else None), soft_wrap=True)
        say("")
    return 0 if ending.is_good else 1


def title_of(nodes: Nodes) -> str:
    """Say in a few words what this plays on."""
    return f"periodicbuild on a {'simulated' if nodes.are_simulated else 'real'} node"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo",
        description="Watch the main job on a real Kubernetes cluster. Ctrl-C ends it and removes everything.",
    )
    parser.add_argument("--keep", action="store_true", help="leave the cluster up at the end, with the operator")
    parser.add_argument("--seconds", type=_length, default=SECONDS, help="how long it plays (default: %(default)g)")
    parser.add_argument(
        "--level",
        type=Level,
        choices=[Level.NODE, Level.SIMULATED],
        help="real or simulated nodes (default: node; where there can be none, simulated)",
    )
    parser.add_argument("--name", default="demo", help="of the cluster it starts (default: demo)")
    return parser


def _length(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("from 1 to 3600 seconds")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
