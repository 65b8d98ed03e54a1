"""The progress bar of runs whose end is a guess that changes."""

from annealnn._progress import seconds_bar


def test_time_left_is_shown_while_the_guess_changes(monkeypatch, capfd):
    monkeypatch.setenv("COLUMNS", "120")
    now = [0.0]
    monkeypatch.setattr("rich.console.monotonic", lambda: now[0])
    with seconds_bar("benchmark", wanted=True) as show:
        for now[0], done, left in ((0.0, 0.0, float("inf")), (5.0, 10.0, 90.0), (10.0, 20.0, 60.0), (15.0, 30.0, 70.0)):
            show(done, left, "three of ten")
    # two seconds of work a second: the 70 that are left take 35
    shown = capfd.readouterr().err
    assert "30%" in shown
    assert "0:00:35" in shown
    assert "three of ten" in shown
