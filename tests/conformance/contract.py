"""The contract: cases that use every verb, assert what must come of it, and return all that they saw.

Each case trains classifiers under names of its own, so that they can run in any order, whatever does the verbs.
"""

from tests.conformance import judging, keeping, using
from tests.conformance.examples import Case

CASES: tuple[Case, ...] = (
    using.fitting,
    using.fits_that_are_refused,
    using.extending,
    using.fitting_labels_that_look_alike,
    using.fitting_any_number_of_labels,
    using.describing_labels,
    using.inspecting,
    using.jobs,
    using.cancelling,
    using.predictions_of_files_that_are_refused,
    using.predicting,
    using.predictions_that_are_refused,
    using.classifying,
    using.requests_to_classify_that_are_refused,
    using.judging,
    using.judgements_that_are_refused,
    judging.judging_any_number_of_labels,
    judging.promoting_any_number_of_labels,
    keeping.listing,
    keeping.setting_a_threshold,
    keeping.answering_with_labels_and_setting_their_thresholds,
    keeping.deleting,
    keeping.promoting,
    keeping.binding,
    keeping.exchanging,
    keeping.copying,
    keeping.reproducing,
    keeping.auditing,
    keeping.forgetting,
    keeping.looking_after_the_disk,
    keeping.removing_a_base_model,
)
# Those after which a server answers to its keys alone, so that each needs a data directory of its own.
LOCKING: tuple[Case, ...] = (keeping.creating_a_key,)
# Those in which a training must last until it is cancelled.
LASTING: tuple[Case, ...] = (using.cancelling,)
