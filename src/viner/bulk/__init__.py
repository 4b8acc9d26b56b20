"""Many documents from files to files: in constant memory, in order, and on from where it was interrupted."""
