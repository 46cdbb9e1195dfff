"""What ``hub_fsck`` looks at: each file checks one kind of promise and yields what breaks it."""
