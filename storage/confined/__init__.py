"""Whatever touches foreign bytes. Runs in the child process of ``storage.sandbox`` and is imported nowhere else."""
