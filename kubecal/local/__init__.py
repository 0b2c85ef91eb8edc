"""The local driver: the engine that runs in the cluster, with a process for a task instead of a pod."""
