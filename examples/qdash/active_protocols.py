from my_new_task import MyNewTask

__all__ = ["MyNewTask"]
