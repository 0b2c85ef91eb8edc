"""A flow: half-pi pulses and coherence of some qubits, each as far as it goes.

python examples/flow.py                          on this computer, on a simulated chip
KUBECAL_LAB=cluster python examples/flow.py fridge-a     on a cluster's chip
"""

import sys

from kubecal.workflow import CalibService, flow, on_flow_cancellation


@flow(on_cancellation=[on_flow_cancellation])
def coherence(username: str, chip_id: str, qids: list[str]) -> dict[str, float]:
    """T1 by qubit, of those whose Rabi oscillation is as it should be."""
    found = {}
    with CalibService(username, chip_id, qids=qids, flow_name="coherence") as cal:
        for qid in qids:
            rabi = cal.execute_task("CheckRabi", qid, raise_on_failure=False)
            if not rabi.ok:
                print(f"qubit {qid} is left out: {rabi.message}")
                continue
            cal.execute_task("CreateHPIPulse", qid)
            t1 = cal.execute_task("CheckT1", qid, parameters={"shots": 2048})["t1"]
            print(f"qubit {qid}: T1 = {t1}")
            found[qid] = t1
    return found


if __name__ == "__main__":
    coherence("alice", sys.argv[1] if len(sys.argv) > 1 else "4Q", ["0", "1"])
