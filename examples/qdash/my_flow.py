from kubecal.workflow import CalibService, flow, on_flow_cancellation


@flow(on_cancellation=[on_flow_cancellation])
def my_calibration_flow(
    username: str, chip_id: str, project_id: str | None = None, flow_name: str | None = None, rounds: int = 1
) -> None:
    cal = CalibService(username, chip_id, qids=["0"], project_id=project_id, flow_name=flow_name)
    try:
        print("begun", cal.execution_id, flush=True)
        for _ in range(rounds):
            cal.execute_task("CheckRabi", "0")
        cal.finish_calibration()
    except BaseException as e:
        from kubecal.workflow import _is_cancellation

        if _is_cancellation(e):
            cal.cancel_calibration()
        else:
            cal.fail_calibration(str(e))
        raise


if __name__ == "__main__":
    import sys

    my_calibration_flow("alice", "16Q", project_id="cold", flow_name="rabis", rounds=int(sys.argv[1]))
