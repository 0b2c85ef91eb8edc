from kubecal import BaseTask


class MyNewTask(BaseTask):
    name = "MyNewTask"

    def preprocess(self, backend):
        # Extract input parameters
        pass

    def run(self, backend):
        # Execute measurement
        pass

    def postprocess(self, backend, result):
        # Process results, generate figures
        pass
