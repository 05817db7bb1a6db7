"""What a run looked like: the live panel, the table at its end, the report file, the plot."""
