"""What others reach from outside the process: the local socket for the CLI; metrics, health and the preview page over HTTP."""
