"""The checks, a module for each subject. Importing this package registers all of them."""
