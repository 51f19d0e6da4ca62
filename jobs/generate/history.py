"""What the cast plays after the third night: on each night something happens to somebody.

A scene begins on the night it is given and says what is due on every night of the run. Its later steps fall on nights
that deliver what they need (:meth:`Horizon.open`), so that no late feed moves them.
"""

from __future__ import annotations

from collections.abc import Callable

from jobs.generate import order_scenes, person_scenes
from jobs.generate.cast import Cast
from jobs.generate.horizon import LAST_PLANTED

SCENES: tuple[Callable[[Cast, int], None], ...] = (
    order_scenes.new_judgment,
    person_scenes.late_payment,
    person_scenes.withdrawn_ahead,
    order_scenes.dispute_rejected,
    order_scenes.arrears_paid,
    person_scenes.of_age,
    order_scenes.dispute_runs_out,
    person_scenes.erased_and_back,
    person_scenes.booking_disputed,
    order_scenes.offences,
    person_scenes.died,
    person_scenes.withdrawal_unread,
    person_scenes.consented_anew,
    order_scenes.obsolete,
    person_scenes.awarded,
    order_scenes.dispute_upheld,
    person_scenes.consent_disputed,
    order_scenes.determined,
    order_scenes.stayed,
    order_scenes.in_doubt,
    person_scenes.booking_struck,
    order_scenes.appealed,
    person_scenes.narrowed,
    order_scenes.ban_ends,
    order_scenes.dispute_corrected,
    person_scenes.contested,
    order_scenes.tax_disputed,
    order_scenes.objection_over,
    person_scenes.consent_in_doubt,
)


def play_history(on: Cast) -> None:
    """One scene begins on each night after the planted ones, the scenes in turn."""
    for place, night in enumerate(range(LAST_PLANTED + 1, on.horizon.nights + 1)):
        SCENES[place % len(SCENES)](on, night)
