import active_protocols

from kubecal import CalibConfig, CalibOrchestrator

config = CalibConfig(username="alice", chip_id="16Q", qids=["0"], backend_name="fake")
orchestrator = CalibOrchestrator(config)
orchestrator.initialize()
result = orchestrator.run_task("MyNewTask", qid="0")
orchestrator.complete()

print("found", list(result), result.verdict)
