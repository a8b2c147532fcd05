"""The environments: one small file each, values only. A new file here is a new environment."""
