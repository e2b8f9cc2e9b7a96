"""Where cases are compared: processes of this machine, or those of an executor that somebody else runs."""
