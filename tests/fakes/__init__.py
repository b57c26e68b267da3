"""Stand-ins for what tests do not want to wait for."""

# The variable with the folder where the processes of a run find what came of each other's trainings.
OUTCOMES_FOLDER = "TESTS_OUTCOMES_FOLDER"
