from kubecal.workflow import CalibService, CustomOneQubit, FilterByStatus, MuxTargets

cal = CalibService("alice", "16Q", default_run_parameters={"interval": {"value": 150 * 1024, "value_type": "int"}})
results = cal.run(
    MuxTargets([0], exclude_qids=["3"]),
    steps=[
        CustomOneQubit(step_name="pulses", tasks=["CheckRabi", "CreateHPIPulse"]),
        FilterByStatus(),
        CustomOneQubit(step_name="coherence", tasks=["CheckT1"]),
    ],
)

for qid in results["candidate_qids"]:
    print(qid, results["metadata"]["coherence"].get_metric(qid, "t1"))
