"""What runs in a task pod: framework, pulse programs, backends, fits, figures and the tasks."""
