"""A process is known again, and never taken for another."""

from readiness_pipelines.processes import is_alive, this_process


def test_a_process_number_that_was_given_again_is_another_process() -> None:
    host, pid, began = this_process().split(" ", 2)
    assert is_alive(f"{host} {pid} {began}")
    assert not is_alive(f"{host} {pid} 1 another-start-of-the-machine")
    assert is_alive(f"another-machine {pid} {began}")
