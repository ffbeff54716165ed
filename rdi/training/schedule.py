"""The learning rate at each step: a function of the step alone, so that resuming needs no state."""

import math

from rdi.training.choices import Schedule
from rdi.training.settings import TrainingSettings


def learning_rate_factor(step: int, settings: TrainingSettings) -> float:
    """Share of the highest learning rate at step 0, 1, ...: a linear rise over the warm-up, then the schedule.

    cosine: down to `final_share` at the last step; step: times `reduce_by` from each step of `reduce_at` on
    """
    if step < settings.warm_up:
        return (step + 1) / settings.warm_up
    if settings.schedule is Schedule.CONSTANT:
        return 1.0
    if settings.schedule is Schedule.STEP:
        return float(settings.reduce_by ** sum(step >= at for at in settings.reduce_at))
    progress = min((step - settings.warm_up) / max(settings.steps - settings.warm_up, 1), 1.0)
    return settings.final_share + (1 - settings.final_share) * 0.5 * (1 + math.cos(math.pi * progress))
