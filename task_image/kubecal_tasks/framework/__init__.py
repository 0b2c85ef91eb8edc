"""What turns a task class into an attempt: declarations, inputs, judging, the pod's process."""
