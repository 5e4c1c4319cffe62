"""The search: which settings to try next, when to end a trial, and which settings matter."""

from typing import TYPE_CHECKING, Any

from core.sweeps.space import Range, Settings, contains, distributions, grid, rounded
from core.sweeps.sweep import Outcome, Sweep, Trial

if TYPE_CHECKING:  # optuna takes 0.8 s
    from optuna.pruners import BasePruner
    from optuna.study import Study
    from optuna.trial import FrozenTrial


def propose(sweep: Sweep) -> Settings | None:
    """Return the settings to try next, within the current bounds; None if a grid is complete.

    They depend only on the sweep's seed and trials.
    """
    import optuna

    plan, seed = sweep.plan, sweep.plan.base.seed
    if plan.sampler == "grid":
        tried = [trial.settings for trial in sweep.trials]
        return next((one for one in grid(plan.space, seed) if one not in tried), None)
    seed += len(sweep.trials)
    if plan.sampler == "random":
        sampler: Any = optuna.samplers.RandomSampler(seed=seed)
    else:  # trials in progress count as bad, so that workers do not try the same settings
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    return rounded(plan.space, _model(sweep, sampler).ask(distributions(plan.space)).params)


def pruner(sweep: Sweep) -> "BasePruner":
    """Return Optuna's pruner for a sweep."""
    from optuna import pruners

    if sweep.plan.pruner == "median":
        return pruners.MedianPruner(n_startup_trials=5)
    if sweep.plan.pruner == "hyperband":
        epochs = sweep.plan.space.get("epochs")
        most = sweep.plan.base.epochs if epochs is None else epochs
        if isinstance(most, Range):
            most = int(most.high)
        elif not isinstance(most, int):
            most = max(most.values)
        return pruners.HyperbandPruner(min_resource=1, max_resource=most)
    return pruners.NopPruner()


def importances(sweep: Sweep) -> dict[str, float]:
    """Return each varied field's share of the variance of accuracy, largest first.

    It is computed by functional ANOVA over the finished trials (Hutter et al., 2014). Empty until
    four of them differ.
    """
    import optuna

    study = _model(sweep, optuna.samplers.RandomSampler())
    reached = {trial.value for trial in study.get_trials() if trial.state.name == "COMPLETE"}
    if len(reached) < 4:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


def _model(sweep: Sweep, sampler: Any) -> "Study":
    """Return an in-memory study of the trials that are within the current bounds."""
    import optuna

    study = optuna.create_study(direction="maximize", sampler=sampler)
    fitting = [trial for trial in sweep.trials if contains(sweep.plan.space, trial.settings)]
    study.add_trials([one for trial in fitting if (one := _frozen(sweep, trial))])
    return study


def _frozen(sweep: Sweep, trial: Trial) -> "FrozenTrial | None":
    """Return a trial for Optuna's samplers; None if it has no result."""
    from optuna.trial import TrialState, create_trial

    states = {
        Outcome.RUNNING: TrialState.RUNNING,
        Outcome.FINISHED: TrialState.COMPLETE,
        Outcome.PRUNED: TrialState.PRUNED,
    }
    if trial.outcome not in states:
        return None
    return create_trial(
        state=states[trial.outcome],
        value=trial.accuracy,
        params=trial.settings,
        distributions=distributions(sweep.plan.space),
        intermediate_values=trial.reached,
    )
